{{- define "fwcluster.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "fwcluster.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "fwcluster.name" .) .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "fwcluster.name" .) | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* The service by which pods find each other: its name stands for all of them. */}}
{{- define "fwcluster.peers" -}}
{{ include "fwcluster.fullname" . }}-peers
{{- end }}

{{- define "fwcluster.selector" -}}
app.kubernetes.io/name: {{ include "fwcluster.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fwcluster.labels" -}}
{{ include "fwcluster.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The pods that rule. */}}
{{- define "fwcluster.controlComponent" -}}
{{ if eq .Values.mode "split" }}control{{ else }}gateway{{ end }}
{{- end }}

{{- define "fwcluster.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "fwcluster.serviceAccount" -}}
{{ if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "fwcluster.fullname" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "fwcluster.tlsSecret" -}}
{{ if eq .Values.tls.source "secret" }}{{ .Values.tls.secretName }}{{ else }}{{ include "fwcluster.fullname" . }}-tls{{ end }}
{{- end }}

{{- define "fwcluster.keySecret" -}}
{{ .Values.cluster.existingKeySecret | default (printf "%s-key" (include "fwcluster.fullname" .)) }}
{{- end }}

{{- define "fwcluster.rulesConfigMap" -}}
{{ .Values.rules.existingConfigMap | default (printf "%s-rules" (include "fwcluster.fullname" .)) }}
{{- end }}

{{/* The job of all pods, for Prometheus: alerts know the daemons by "fwcluster" in it. */}}
{{- define "fwcluster.job" -}}
{{- $name := include "fwcluster.fullname" . -}}
{{ if contains "fwcluster" $name }}{{ $name }}{{ else }}{{ $name }}-fwcluster{{ end }}
{{- end }}

{{/* The names by which the control plane is reached, which its certificate has. */}}
{{- define "fwcluster.hostNames" -}}
{{- $service := include "fwcluster.fullname" . -}}
{{- $peers := include "fwcluster.peers" . -}}
{{- $namespace := .Release.Namespace -}}
{{- toYaml (list $service (printf "%s.%s" $service $namespace) (printf "%s.%s.svc" $service $namespace) (printf "%s.%s.svc.cluster.local" $service $namespace)
  (printf "%s.%s.svc" $peers $namespace) (printf "*.%s.%s.svc" $peers $namespace) (printf "*.%s.%s.svc.cluster.local" $peers $namespace) "localhost") -}}
{{- end }}

{{/* What no schema can say of values that must go together. */}}
{{- define "fwcluster.check" -}}
{{- if and (eq .Values.mode "split") (eq (mod .Values.control.replicas 2) 0) -}}
{{- fail (printf "control.replicas is %d; it must be odd: of an even number no half is the greater one when the network splits" (int .Values.control.replicas)) -}}
{{- end -}}
{{- if and (eq .Values.tls.source "secret") (not .Values.tls.secretName) -}}
{{- fail "tls.source is 'secret' and tls.secretName is empty; it must name a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if and (ne .Values.tls.source "secret") .Values.tls.secretName -}}
{{- fail (printf "tls.secretName is '%s' and tls.source is '%s'; the Secret is used with tls.source 'secret' only" .Values.tls.secretName .Values.tls.source) -}}
{{- end -}}
{{- if and .Values.cluster.key .Values.cluster.existingKeySecret -}}
{{- fail "cluster.key and cluster.existingKeySecret are both there; give one of them" -}}
{{- end -}}
{{- $ports := list .Values.cluster.port .Values.cluster.linkPort .Values.control.port .Values.health.port .Values.metrics.port -}}
{{- if ne (len (uniq $ports)) 5 -}}
{{- fail "cluster.port, cluster.linkPort, control.port, health.port and metrics.port must differ: gateways have all of them on the host's network" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) -}}
{{- fail "metrics.serviceMonitor.enabled is true and metrics.enabled is false: there would be nothing to ask" -}}
{{- end -}}
{{- if le (int .Values.gateways.terminationGracePeriodSeconds) (int .Values.gateways.drainSeconds) -}}
{{- fail "gateways.terminationGracePeriodSeconds must be more than gateways.drainSeconds: after the drain a gateway hands over what it has" -}}
{{- end -}}
{{- end }}

{{/* Settings of both kinds of pods. What differs from pod to pod comes by the environment. */}}
{{- define "fwcluster.settings" -}}
mode: inline
rules:
  ipv4: /etc/fwcluster/rules/ipv4.rules
  ipv6: /etc/fwcluster/rules/ipv6.rules
  sets: /etc/fwcluster/rules/sets.ipset
tracking:
  helpers: {{ .Values.tracking.helpers | quote }}
  {{- with .Values.tracking.sysctl }}
  sysctl:
    {{- range $name, $value := . }}
    {{ $name }}: {{ int64 $value }}
    {{- end }}
  {{- end }}
cluster:
  link-port: {{ .Values.cluster.linkPort }}
  name: fwcluster
  seeds: {{ include "fwcluster.peers" . }}.{{ .Release.Namespace }}.svc:{{ .Values.cluster.port }}
  begin-after-seconds: {{ .Values.cluster.beginAfterSeconds }}
  shards: {{ .Values.cluster.shards }}
  expectation-wait-ms: {{ .Values.cluster.expectationWaitMs }}
  tls:
    certificate: /etc/fwcluster/tls/tls.crt
    key: /etc/fwcluster/tls/tls.key
    ca: /etc/fwcluster/tls/ca.crt
log:
  level: {{ .Values.log.level }}
  format: {{ .Values.log.format }}
state:
  socket: /run/fwclusterd/state.sock
  health-listen: 0.0.0.0:{{ .Values.health.port }}
{{- if .Values.metrics.enabled }}
metrics:
  listen: 0.0.0.0:{{ .Values.metrics.port }}
{{- end }}
control:
  directory: /var/lib/fwcluster/rulesets
  socket: /run/fwclusterd/control.sock
  listen: 0.0.0.0:{{ .Values.control.port }}
  certificate: /etc/fwcluster/tls/tls.crt
  key: /etc/fwcluster/tls/tls.key
  authority: /etc/fwcluster/tls/ca.crt
  tokens: /etc/fwcluster/access/tokens
{{- end }}

{{- define "fwcluster.env" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: FWCLUSTER_CLUSTER_LISTEN
  value: $(POD_IP):{{ .Values.cluster.port }}
- name: FWCLUSTER_CLUSTER_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "fwcluster.keySecret" . }}
      key: key
{{- end }}

{{- define "fwcluster.ports" -}}
- name: cluster
  containerPort: {{ .Values.cluster.port }}
- name: links
  containerPort: {{ .Values.cluster.linkPort }}
- name: control
  containerPort: {{ .Values.control.port }}
- name: health
  containerPort: {{ .Values.health.port }}
{{- if .Values.metrics.enabled }}
- name: metrics
  containerPort: {{ .Values.metrics.port }}
{{- end }}
{{- end }}

{{/* The pod is alive while it answers, and ready while it does its part. A start may have to wait for the others. */}}
{{- define "fwcluster.probes" -}}
startupProbe:
  grpc:
    port: {{ .Values.health.port }}
    service: live
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  grpc:
    port: {{ .Values.health.port }}
    service: live
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  grpc:
    port: {{ .Values.health.port }}
    service: ready
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 1
{{- end }}

{{- define "fwcluster.mounts" -}}
- name: settings
  mountPath: /etc/fwcluster/settings
  readOnly: true
- name: rules
  mountPath: /etc/fwcluster/rules
  readOnly: true
- name: tls
  mountPath: /etc/fwcluster/tls
  readOnly: true
- name: access
  mountPath: /etc/fwcluster/access
  readOnly: true
- name: state
  mountPath: /var/lib/fwcluster
- name: run
  mountPath: /run/fwclusterd
- name: tmp
  mountPath: /tmp
{{- end }}

{{/* All but the volume of what must outlast the pod. */}}
{{- define "fwcluster.volumes" -}}
- name: settings
  configMap:
    name: {{ include "fwcluster.fullname" . }}
- name: rules
  configMap:
    name: {{ include "fwcluster.rulesConfigMap" . }}
- name: tls
  secret:
    secretName: {{ include "fwcluster.tlsSecret" . }}
    defaultMode: 0440
- name: access
  secret:
    secretName: {{ include "fwcluster.fullname" . }}-access
    defaultMode: 0440
    items:
      - key: tokens
        path: tokens
- name: run
  emptyDir:
    medium: Memory
- name: tmp
  emptyDir:
    medium: Memory
{{- end }}

{{/* By which pods that rule tell what became of changed rules: no more than the API server takes by it. */}}
{{- define "fwcluster.accountMount" -}}
- name: account
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{- define "fwcluster.accountVolume" -}}
- name: account
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3600
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end }}

{{- define "fwcluster.podSecurity" -}}
runAsNonRoot: true
runAsUser: 64053
runAsGroup: 64053
fsGroup: 64053
seccompProfile:
  type: RuntimeDefault
{{- end }}
