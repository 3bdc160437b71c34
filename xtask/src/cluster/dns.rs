//! CoreDNS: names of Services, for pods. It runs in the cluster, non-root, on a high port behind the Service's port 53.

use anyhow::Result;

use crate::addresses::DNS_SERVICE;
use crate::cluster::{apply, node, workloads};
use crate::images;
use crate::instance::Instance;
use crate::notes::Note;
use crate::part::Made;

const NAMESPACE: &str = "kube-system";

const OBJECTS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: coredns, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: system:coredns}
rules:
  - {apiGroups: [""], resources: [endpoints, services, pods, namespaces], verbs: [list, watch]}
  - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: system:coredns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:coredns}
subjects: [{kind: ServiceAccount, name: coredns, namespace: kube-system}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    .:5353 {
        errors
        health :8080
        ready :8181
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            pods insecure
            fallthrough in-addr.arpa ip6.arpa
        }
@FORWARD@        cache 30
        loop
        reload
    }
  resolv.conf: |
@RESOLVERS@
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  clusterIP: @ADDRESS@
  selector: {k8s-app: kube-dns}
  ports:
    - {name: dns, port: 53, targetPort: 5353, protocol: UDP}
    - {name: dns-tcp, port: 53, targetPort: 5353, protocol: TCP}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  replicas: 1
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata:
      labels: {k8s-app: kube-dns}
      annotations: {opsmesh.io/corefile: "@HASH@"}
    spec:
      serviceAccountName: coredns
      priorityClassName: system-cluster-critical
      dnsPolicy: Default
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: coredns
          image: @IMAGE@
          imagePullPolicy: Never
          args: [-conf, /etc/coredns/Corefile]
          ports: [{name: dns, containerPort: 5353, protocol: UDP}, {name: dns-tcp, containerPort: 5353, protocol: TCP}]
          readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1, failureThreshold: 30}
          livenessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 30}
          resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 170Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: config, mountPath: /etc/coredns}]
      volumes: [{name: config, configMap: {name: coredns}}]
"#;

/// Applies it, if it has changed or is not there.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    let resolvers = node::resolvers(instance);
    // Without a name server to ask, a name of the world outside is refused at once instead of waited for.
    let forward = if resolvers.is_empty() { "" } else { "        forward . /etc/coredns/resolv.conf\n" };
    let resolvers: String = resolvers.iter().map(|line| format!("    {line}")).collect();
    let objects = OBJECTS
        .replace("@FORWARD@", forward)
        .replace("@RESOLVERS@\n", &resolvers)
        .replace("@ADDRESS@", DNS_SERVICE)
        .replace("@IMAGE@", &images::coredns(instance)?.reference());
    let note = Note::of(instance, "dns", &objects);
    if note.stands() && is_there(instance) {
        return Ok(Made::Already);
    }
    apply(instance, &objects.replace("@HASH@", note.text()))?;
    note.keep()?;
    Ok(Made::Now)
}

/// Whether it answers.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    workloads::ready(instance, NAMESPACE)
}

fn is_there(instance: &Instance) -> bool {
    workloads::names(instance, NAMESPACE).is_ok_and(|names| names.iter().any(|name| name == "coredns"))
}
