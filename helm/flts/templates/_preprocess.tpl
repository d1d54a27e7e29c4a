{{/* The Job's specification: waits for the dataset's files, then makes tables of them. Buckets and topics the service waits for by itself. */}}
{{- define "flts.preprocess" -}}
{{- $part := dict "root" . "name" "preprocess" "group" "training" "from" "training" "uses" (list "kafka" "store") "metrics" true }}
{{- $given := .Values.preprocess }}
{{- $last := $given.env.TEST_FILE | default (printf "%s_test.csv" (.Values.dataset.name)) }}
{{- $env := include "flts.commonEnv" $part | fromYaml }}
{{- $_ := set $env "DATASET_NAME" .Values.dataset.name }}
{{- $_ := set $env "IDENTIFIER" $given.identifier }}
{{- $_ := set $env "TOPIC_PARTITIONS" (.Values.topics.partitions | toString) }}
{{- $_ := set $env "SPILL_DIR" "/spill" }}
{{- $_ := set $env "SPILL_MAX_BYTES" (mul $given.spillGiB 1073741824 | toString) }}
{{- /* Short-lived objects of ten million rows would otherwise grow the young generation by 100 MB. */}}
{{- $_ := set $env "NODE_OPTIONS" "--max-semi-space-size=8" }}
{{- $env = mustMergeOverwrite $env $given.env }}
backoffLimit: 6
template:
  metadata:
    labels:
      {{- include "flts.podLabels" $part | nindent 6 }}
  spec:
    {{- include "flts.podDefaults" (dict "root" . "user" 10001) | nindent 4 }}
    restartPolicy: OnFailure
    terminationGracePeriodSeconds: {{ .Values.shutdown.graceSeconds }}
    {{- if not (contains "," $env.DATASET_NAME) }}
    initContainers:
      # The second file is the last that comes.
      - name: wait-for-dataset
        image: {{ include "flts.image" (dict "root" . "image" "mc") }}
        {{- include "flts.containerDefaults" . | nindent 8 }}
        command: [/bin/sh, -ec]
        args:
          - |
            until mc alias set store "$MC_ENDPOINT" "$MC_USER" "$MC_PASS" >/dev/null; do echo waiting for "$MC_ENDPOINT"; sleep 2; done
            until mc stat "store/{{ $env.INPUT_BUCKET | default "dataset" }}/{{ $last }}" >/dev/null 2>&1; do echo waiting for {{ $last }}; sleep 2; done
        env:
          - { name: MC_CONFIG_DIR, value: /tmp/.mc }
          - { name: MC_ENDPOINT, value: {{ include "flts.s3.endpoint" $part }} }
          {{- include "flts.s3.secretEnv" (dict "root" . "accessKey" "MC_USER" "secretKey" "MC_PASS") | nindent 10 }}
        resources: { requests: { cpu: 10m, memory: 32Mi }, limits: { memory: 256Mi } }
        volumeMounts: [{ name: tmp, mountPath: /tmp }]
    {{- end }}
    containers:
      - name: preprocess
        image: {{ include "flts.serviceImage" (dict "root" . "service" "preprocess") }}
        {{- include "flts.containerDefaults" . | nindent 8 }}
        env:
          {{- include "flts.env" $env | nindent 10 }}
        ports: [{ name: metrics, containerPort: 9091 }]
        # Long columns keep it from answering for some seconds.
        livenessProbe: { httpGet: { path: /healthz, port: metrics }, initialDelaySeconds: 30, periodSeconds: 30, timeoutSeconds: 15, failureThreshold: 10 }
        resources: {{ toJson $given.resources }}
        volumeMounts:
          {{- include "flts.mounts" . | nindent 10 }}
          - { name: spill, mountPath: /spill }
    volumes:
      {{- include "flts.volumes" . | nindent 6 }}
      - { name: spill, emptyDir: { sizeLimit: {{ add1 $given.spillGiB }}Gi } }
{{- end }}
