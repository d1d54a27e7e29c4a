{{/* Where a part runs. Takes the root and a group of `namespaces`. */}}
{{- define "flts.namespace" -}}
{{- index .root.Values.namespaces .group | default .root.Release.Namespace -}}
{{- end }}

{{/* Every namespace in use, each once, as a JSON list. */}}
{{- define "flts.namespaces" -}}
{{- $names := list .Release.Namespace }}
{{- range $group := list "data" "training" "serving" "monitoring" "load" }}
{{- $names = append $names (include "flts.namespace" (dict "root" $ "group" $group)) }}
{{- end }}
{{- $names | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* The name under which a Service of one group is found from another. Takes root, name, group and the group `from` which it is asked. */}}
{{- define "flts.host" -}}
{{- $there := include "flts.namespace" . }}
{{- if eq $there (include "flts.namespace" (dict "root" .root "group" .from)) -}}
{{ .name }}
{{- else -}}
{{ .name }}.{{ $there }}.svc
{{- end }}
{{- end }}

{{/* What tells the pods of a part from all others. */}}
{{- define "flts.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "flts.labels" -}}
{{ include "flts.selector" . }}
app.kubernetes.io/component: {{ .component | default .name }}
app.kubernetes.io/part-of: flts
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- if not .root.Values.global.plain }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}
{{- end }}

{{/* Name, namespace and labels of an object. Takes root, name, group and optionally component. */}}
{{- define "flts.metadata" -}}
name: {{ .name }}
namespace: {{ include "flts.namespace" . }}
labels:
  {{- include "flts.labels" . | nindent 2 }}
{{- end }}

{{/* Labels of a pod: `uses` are the parts that the network policies let it speak to, `metrics` that Prometheus may ask it. */}}
{{- define "flts.podLabels" -}}
{{ include "flts.labels" . }}
app: {{ .name }}
{{- range .uses }}
flts.dev/uses-{{ . }}: "true"
{{- end }}
{{- if .metrics }}
flts.dev/metrics: "true"
{{- end }}
{{- end }}

{{/* An image that others publish, by its key in `images`. */}}
{{- define "flts.image" -}}
{{- with .root.Values.global.imageRegistry }}{{ . }}/{{ end }}{{ index .root.Values.images .image -}}
{{- end }}

{{/* The image of one of our services. */}}
{{- define "flts.serviceImage" -}}
{{- $images := .root.Values.images.services -}}
{{- with .root.Values.global.imageRegistry }}{{ . }}/{{ end }}{{ $images.repository }}/{{ .service }}:{{ $images.tag | default .root.Chart.AppVersion -}}
{{- end }}

{{/*
A Job that ran once is there in the first revision, where nothing must wait for it (inference is ready only after it); later revisions run it again, as a hook. Rendered
for kubectl apply it is a plain Job.
*/}}
{{- define "flts.jobAnnotations" -}}
{{- if .root.Release.IsUpgrade }}
annotations:
  helm.sh/hook: post-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation
{{- end }}
{{- end }}

{{/* Storage of a claim. Takes root and size. */}}
{{- define "flts.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .root.Values.global.storageClass }}
storageClassName: {{ . }}
{{- end }}
resources: { requests: { storage: {{ .size }} } }
{{- end }}
