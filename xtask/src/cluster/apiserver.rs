//! The API server.

use anyhow::Result;

use crate::addresses::{API, BRIDGE, ETCD, LOOPBACK, SERVICES};
use crate::certificates::{crt, key, service_accounts};
use crate::cluster::kubectl;
use crate::errand;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::tools;

/// Who signs the tokens of service accounts; the keys to check them with are at `/openid/v1/jwks`.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// The server. It listens on the bridge and says so: pods reach `kubernetes.default` there, where loopback would be refused as an endpoint.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let file = |flag: &str, path: std::path::PathBuf| format!("--{flag}={}", path.display());
    Ok(Launch::of(tools::path(instance, "kube-apiserver")?)
        .args([
            format!("--bind-address={BRIDGE}"),
            format!("--advertise-address={BRIDGE}"),
            format!("--secure-port={}", API.number),
            format!("--service-cluster-ip-range={SERVICES}"),
            format!("--etcd-servers=https://{}", ETCD.at(LOOPBACK)),
            file("etcd-cafile", crt(instance, "etcd-authority")),
            file("etcd-certfile", crt(instance, "etcd-client")),
            file("etcd-keyfile", key(instance, "etcd-client")),
            file("tls-cert-file", crt(instance, "kube-apiserver")),
            file("tls-private-key-file", key(instance, "kube-apiserver")),
            file("client-ca-file", crt(instance, "cluster-authority")),
            // Without these `kubectl logs` looks the node's name up in DNS, and is refused by the kubelet.
            "--kubelet-preferred-address-types=InternalIP".into(),
            file("kubelet-certificate-authority", crt(instance, "cluster-authority")),
            file("kubelet-client-certificate", crt(instance, "kube-apiserver-kubelet-client")),
            file("kubelet-client-key", key(instance, "kube-apiserver-kubelet-client")),
            file("proxy-client-cert-file", crt(instance, "front-proxy-client")),
            file("proxy-client-key-file", key(instance, "front-proxy-client")),
            file("requestheader-client-ca-file", crt(instance, "front-proxy-authority")),
            "--requestheader-allowed-names=front-proxy-client".into(),
            "--requestheader-username-headers=X-Remote-User".into(),
            "--requestheader-group-headers=X-Remote-Group".into(),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
            format!("--service-account-issuer={ISSUER}"),
            format!("--service-account-jwks-uri={ISSUER}/openid/v1/jwks"),
            file("service-account-key-file", service_accounts(instance)),
            file("service-account-signing-key-file", key(instance, "service-accounts")),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--allow-privileged=true".into(),
            "--profiling=false".into(),
            // Asked to stop, it hangs up on watchers instead of waiting for them.
            "--shutdown-delay-duration=0s".into(),
            "--shutdown-watch-termination-grace-period=0s".into(),
        ])
        .reading(&crt(instance, "kube-apiserver"))
        .reading(&crt(instance, "cluster-authority")))
}

/// Whether it answers, and says that it is ready.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    let mut command = kubectl(instance).map_err(|error| error.to_string())?;
    errand::ask(command.args(["get", "--raw=/readyz"])).map(drop).map_err(|error| format!("the API server is not ready: {error}"))
}
