{{/* What every pod has: no token, no root, no environment made of Services. Takes root, group and the number of the image's user. */}}
{{- define "flts.podDefaults" -}}
serviceAccountName: flts
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "flts.containerDefaults" -}}
imagePullPolicy: IfNotPresent
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Replicas go to several nodes and zones where there are several, and stay together where there are not. */}}
{{- define "flts.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "flts.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* Alive from the first moment on, ready when what it needs is there. A service that waits for its backends is alive. Takes readiness (path and port). */}}
{{- define "flts.probes" -}}
startupProbe: { httpGet: { path: /healthz, port: metrics }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 }
livenessProbe: { httpGet: { path: /healthz, port: metrics }, periodSeconds: 15, timeoutSeconds: 5, failureThreshold: 4 }
readinessProbe: { httpGet: { path: {{ .path }}, port: {{ .port }} }, periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 2 }
{{- end }}
