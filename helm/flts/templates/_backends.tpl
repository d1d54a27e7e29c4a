{{- define "flts.kafka.brokers" -}}
{{- if .root.Values.kafka.enabled -}}
{{- $brokers := list }}
{{- range $index := until (int .root.Values.kafka.replicas) }}
{{- $name := printf "kafka-%d.kafka" $index }}
{{- $brokers = append $brokers (printf "%s:9092" (include "flts.host" (dict "root" $.root "name" $name "group" "data" "from" $.from))) }}
{{- end }}
{{- join "," $brokers }}
{{- else -}}
{{ required "kafka.external.bootstrapServers is needed where kafka.enabled is false" .root.Values.kafka.external.bootstrapServers }}
{{- end }}
{{- end }}

{{- define "flts.s3.endpoint" -}}
{{- if .root.Values.minio.enabled -}}
http://{{ include "flts.host" (dict "root" .root "name" "minio" "group" "data" "from" .from) }}:9000
{{- else -}}
{{ required "minio.external.endpoint is needed where minio.enabled is false" .root.Values.minio.external.endpoint }}
{{- end }}
{{- end }}

{{- define "flts.mlflow.uri" -}}
{{- if .root.Values.mlflow.enabled -}}
http://{{ include "flts.host" (dict "root" .root "name" "mlflow" "group" "data" "from" .from) }}:5000
{{- else -}}
{{ required "mlflow.external.trackingUri is needed where mlflow.enabled is false" .root.Values.mlflow.external.trackingUri }}
{{- end }}
{{- end }}

{{- define "flts.postgres.host" -}}
{{- if .Values.postgres.enabled -}}
mlflow-postgres
{{- else -}}
{{ required "postgres.external.host is needed where postgres.enabled is false" .Values.postgres.external.host }}
{{- end }}
{{- end }}

{{/* Families that have a trainer: those that eval and the ensemble wait for. */}}
{{- define "flts.families" -}}
{{- $families := list }}
{{- range .Values.workloads }}
{{- if and (eq .service "train") (ne .enabled false) }}
{{- $families = append $families .env.MODEL_TYPE }}
{{- end }}
{{- end }}
{{- $families | uniq | sortAlpha | join "," -}}
{{- end }}

{{/* Variables that every one of our processes reads, as YAML. Takes root and the group `from`. Credentials come as files. */}}
{{- define "flts.commonEnv" -}}
LOG_LEVEL: {{ .root.Values.logLevel }}
METRICS_PORT: "9091"
KAFKA_BOOTSTRAP_SERVERS: {{ include "flts.kafka.brokers" . | quote }}
{{- if not .root.Values.kafka.enabled }}
{{- with .root.Values.kafka.external }}
KAFKA_SECURITY_PROTOCOL: {{ .securityProtocol }}
{{- if hasPrefix "SASL" .securityProtocol }}
KAFKA_SASL_MECHANISM: {{ .saslMechanism }}
KAFKA_SASL_USERNAME_FILE: /run/secrets/flts/kafka/username
KAFKA_SASL_PASSWORD_FILE: /run/secrets/flts/kafka/password
{{- end }}
{{- if .caSecret }}
KAFKA_SSL_CA_FILE: /run/secrets/flts/kafka-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
S3_ENDPOINT: {{ include "flts.s3.endpoint" . }}
AWS_REGION: {{ .root.Values.minio.external.region }}
{{- if .root.Values.secrets.s3.name }}
AWS_ACCESS_KEY_ID_FILE: /run/secrets/flts/s3/access-key
AWS_SECRET_ACCESS_KEY_FILE: /run/secrets/flts/s3/secret-key
{{- end }}
MLFLOW_TRACKING_URI: {{ include "flts.mlflow.uri" . }}
{{- end }}

{{/* A dictionary of variables as a list, in the order of their names. */}}
{{- define "flts.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "flts.usesKafkaLogin" -}}
{{- if and (not .Values.kafka.enabled) (hasPrefix "SASL" .Values.kafka.external.securityProtocol) }}true{{ end }}
{{- end }}

{{/* Where our processes find credentials, and where they may write. */}}
{{- define "flts.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .Values.secrets.s3.name }}
- { name: s3, mountPath: /run/secrets/flts/s3, readOnly: true }
{{- end }}
{{- if include "flts.usesKafkaLogin" . }}
- { name: kafka, mountPath: /run/secrets/flts/kafka, readOnly: true }
{{- end }}
{{- if .Values.kafka.external.caSecret }}
- { name: kafka-ca, mountPath: /run/secrets/flts/kafka-ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "flts.volumes" -}}
- { name: tmp, emptyDir: { sizeLimit: 256Mi } }
{{- with .Values.secrets.s3.name }}
- { name: s3, secret: { secretName: {{ . }}, defaultMode: 0440 } }
{{- end }}
{{- if include "flts.usesKafkaLogin" . }}
- { name: kafka, secret: { secretName: {{ .Values.secrets.kafka.name }}, defaultMode: 0440 } }
{{- end }}
{{- with .Values.kafka.external.caSecret }}
- { name: kafka-ca, secret: { secretName: {{ . }}, defaultMode: 0440 } }
{{- end }}
{{- end }}

{{/* Variables with the credentials of the object store, for programs that do not read files. */}}
{{- define "flts.s3.secretEnv" -}}
{{- with .root.Values.secrets.s3.name }}
- { name: {{ $.accessKey }}, valueFrom: { secretKeyRef: { name: {{ . }}, key: access-key } } }
- { name: {{ $.secretKey }}, valueFrom: { secretKeyRef: { name: {{ . }}, key: secret-key } } }
{{- end }}
{{- end }}
