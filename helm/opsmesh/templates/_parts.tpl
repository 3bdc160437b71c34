{{/* What the templates share. */}}

{{- define "opsmesh.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: opsmesh
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "opsmesh.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "opsmesh.image" -}}
{{- $tag := default .root.Chart.AppVersion (index .root.Values.images.tags .image) -}}
{{- with .root.Values.images.registry }}{{ . }}/{{ end }}opsmesh/{{ .image }}:{{ $tag }}
{{- end }}

{{/* The settings file of a service: what is no secret. */}}
{{- define "opsmesh.settings" -}}
{{- $root := .root -}}
{{- $people := $root.Values.identity.people -}}
{{- $workloads := $root.Values.identity.workloads -}}
{{- if ne .name "operator" }}
[host]
policies = "/var/run/opsmesh/policies"
{{- with $root.Values.facts.keepMonths }}
keep_facts_months = {{ int . }}
{{- end }}

[host.limits]
per_second = {{ int $root.Values.limits.perSecond }}
burst = {{ int $root.Values.limits.burst }}
replicas = {{ max 1 (int (index $root.Values.replicas .name)) }}
{{- with $root.Values.certificates }}
{{- if .existingSecret }}

[host.certificates]
listen = "0.0.0.0:7443"
certificate = "/var/run/opsmesh/certificates/tls.crt"
key = "/var/run/opsmesh/certificates/tls.key"
client_ca = "/var/run/opsmesh/certificates/ca.crt"
trust_domain = {{ required "certificates.trustDomain: without one no certificate names anybody" .trustDomain | quote }}

[host.certificates.services]
{{- range $name, $role := .services }}
{{ $name | quote }} = {{ $role | quote }}
{{- end }}
{{- end }}
{{- end }}

{{ end -}}
[host.telemetry]
otlp = {{ $root.Values.telemetry.otlpEndpoint | quote }}
log = {{ $root.Values.telemetry.log | quote }}
{{- with $people.issuer }}

[[host.identity]]
kind = "people"
issuer = {{ . | quote }}
audience = {{ $people.audience | quote }}
keys = {{ default (printf "%s/jwks.json" .) $people.keys | quote }}
{{- end }}

[[host.identity]]
kind = "workloads"
issuer = {{ $workloads.issuer | quote }}
audience = "opsmesh-{{ .name }}"
keys = {{ $workloads.keys | quote }}
ca_file = "/var/run/opsmesh/kubernetes/ca.crt"
bearer_file = "/var/run/opsmesh/kubernetes/token"

[host.identity.roles]
{{- if eq .name "inspection" }}
"system:serviceaccount:{{ $root.Release.Namespace }}:opsmesh-operator" = "operator"
{{- end }}
{{- if eq .name "inventory" }}
"system:serviceaccount:{{ $root.Release.Namespace }}:inspection" = "service"
{{- end }}
{{- if ne .name "operator" }}

[service.database]
connections = {{ $root.Values.database.connections }}
{{- end }}
{{- if eq .name "inspection" }}

[service.inventory]
url = "http://inventory.{{ $root.Release.Namespace }}.svc:7000"
token_file = "/var/run/opsmesh/token/token"
{{- end }}
{{- if eq .name "operator" }}

[service]
namespaces = {{ $root.Values.operator.watchNamespaces | toJson }}
lease_namespace = {{ $root.Release.Namespace | quote }}

[service.inspection]
url = "http://inspection.{{ $root.Release.Namespace }}.svc:7000"

[service.worker]
image = {{ include "opsmesh.image" (dict "root" $root "image" "inspection") | quote }}
image_pull_policy = {{ $root.Values.images.pullPolicy | quote }}
inspection_url = "http://inspection.{{ $root.Release.Namespace }}.svc:7000"
otlp = {{ $root.Values.telemetry.otlpEndpoint | quote }}
{{- end }}
{{- end }}

{{/* What callers may do: the chart's own policies, and what the values add. */}}
{{- define "opsmesh.policies" -}}
{{- range $path, $_ := .Files.Glob "policies/*.cedar" }}
{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- range $name, $text := .Values.policies }}
{{ $name }}.cedar: |
  {{- $text | nindent 2 }}
{{- end }}
{{- end }}

{{/* The secrets of a service, as environment. `prefix` tells the migration's own copies apart. */}}
{{- define "opsmesh.secrets" -}}
{{- $upper := upper .name -}}
- name: {{ $upper }}__SERVICE__DATABASE__URL
  valueFrom:
    secretKeyRef:
      name: {{ default (printf "opsmesh-%sdatabase" .prefix) .root.Values.database.existingSecret }}
      key: {{ .name }}
- name: {{ $upper }}__SERVICE__BROKER__URL
  valueFrom:
    secretKeyRef:
      name: {{ default (printf "opsmesh-%sbroker" .prefix) .root.Values.broker.existingSecret }}
      key: url
{{- end }}

{{- define "opsmesh.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "opsmesh.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Which of our doors a process knocks at: the audience of its token. */}}
{{- define "opsmesh.knocksAt" -}}
{{- if eq . "operator" }}opsmesh-inspection{{ else if eq . "inspection" }}opsmesh-inventory{{ end }}
{{- end }}

{{/* A long-running process: Deployment and disruption budget. */}}
{{- define "opsmesh.deployment" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $account := .account -}}
{{- $replicas := int (index $root.Values.replicas $name) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $account }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "opsmesh.labels" (dict "root" $root "name" $account) | nindent 4 }}
spec:
  replicas: {{ $replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels: {{- include "opsmesh.selector" (dict "root" $root "name" $account) | nindent 6 }}
  template:
    metadata:
      labels: {{- include "opsmesh.labels" (dict "root" $root "name" $account) | nindent 8 }}
      annotations:
        checksum/settings: {{ include "opsmesh.settings" (dict "root" $root "name" $name) | sha256sum }}
        checksum/secrets: {{ printf "%v %v %v %v" $root.Values.database $root.Values.broker $root.Values.seals $root.Values.limits | sha256sum }}
        checksum/policies: {{ include "opsmesh.policies" $root | sha256sum }}
        prometheus.io/scrape: "true"
        prometheus.io/port: "7001"
        prometheus.io/path: /metrics
    spec:
      serviceAccountName: {{ $account }}
      automountServiceAccountToken: {{ eq $name "operator" }}
      enableServiceLinks: false
      # 3 s of drain, 16 s to finish, 3 s for the last spans, and room.
      terminationGracePeriodSeconds: 40
      securityContext: {{- include "opsmesh.podSecurity" . | nindent 8 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "opsmesh.selector" (dict "root" $root "name" $account) | nindent 14 }}
      containers:
        - name: {{ $name }}
          image: {{ include "opsmesh.image" (dict "root" $root "image" $name) }}
          imagePullPolicy: {{ $root.Values.images.pullPolicy }}
          args: [--settings, /etc/opsmesh/{{ $name }}.toml]
          ports:
            - {name: grpc, containerPort: 7000}
            {{- if and $root.Values.certificates.existingSecret (ne $name "operator") }}
            - {name: grpcs, containerPort: 7443}
            {{- end }}
            - {name: http, containerPort: 7001}
          env:
            {{- if eq $name "operator" }}
            - name: OPERATOR__SERVICE__IDENTITY
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            {{- else }}
            {{- include "opsmesh.secrets" (dict "root" $root "name" $name "prefix" "") | nindent 12 }}
            - name: {{ upper $name }}__HOST__SEAL_KEY
              valueFrom:
                secretKeyRef:
                  name: {{ default "opsmesh-seals" $root.Values.seals.existingSecret }}
                  key: {{ $name }}
                  # Without one the service runs, warns, and seals nothing.
                  optional: true
            - name: {{ upper $name }}__HOST__LIMITS__REDIS
              valueFrom:
                secretKeyRef:
                  name: {{ default "opsmesh-limits" $root.Values.limits.redis.existingSecret }}
                  key: url
                  # Without one each replica keeps its share.
                  optional: true
            {{- end }}
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          resources: {{- toYaml $root.Values.resources | nindent 12 }}
          securityContext: {{- include "opsmesh.containerSecurity" . | nindent 12 }}
          volumeMounts:
            - {name: settings, mountPath: /etc/opsmesh, readOnly: true}
            - {name: kubernetes, mountPath: /var/run/opsmesh/kubernetes, readOnly: true}
            {{- if ne $name "operator" }}
            - {name: policies, mountPath: /var/run/opsmesh/policies, readOnly: true}
            {{- if $root.Values.certificates.existingSecret }}
            - {name: certificates, mountPath: /var/run/opsmesh/certificates, readOnly: true}
            {{- end }}
            {{- end }}
            {{- with include "opsmesh.knocksAt" $name }}
            - {name: token, mountPath: /var/run/opsmesh/token, readOnly: true}
            {{- end }}
      volumes:
        - name: settings
          configMap: {name: opsmesh-settings, items: [{key: {{ $name }}.toml, path: {{ $name }}.toml}]}
        {{- if ne $name "operator" }}
        - name: policies
          configMap: {name: opsmesh-policies}
        {{- with $root.Values.certificates.existingSecret }}
        - name: certificates
          secret: {secretName: {{ . }}, defaultMode: 0444}
        {{- end }}
        {{- end }}
        # What it takes to fetch the cluster's own public keys.
        - name: kubernetes
          projected:
            defaultMode: 0444
            sources:
              - serviceAccountToken: {path: token, expirationSeconds: 3600}
              - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
        {{- with include "opsmesh.knocksAt" $name }}
        - name: token
          projected:
            defaultMode: 0444
            sources:
              - serviceAccountToken: {path: token, audience: {{ . }}, expirationSeconds: 3600}
        {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- if gt $replicas 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $account }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "opsmesh.labels" (dict "root" $root "name" $account) | nindent 4 }}
spec:
  minAvailable: 1
  selector:
    matchLabels: {{- include "opsmesh.selector" (dict "root" $root "name" $account) | nindent 6 }}
{{- end }}
{{- end }}
