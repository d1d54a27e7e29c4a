{{/* Up at once by four pods in 15 s, down by one in 60 s: the reference's behaviour. */}}
{{- define "flts.autoscaler" }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "flts.metadata" .part | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ .part.name }} }
  minReplicas: {{ .scaling.minReplicas }}
  maxReplicas: {{ .scaling.maxReplicas }}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ .scaling.cpu }} } }
    {{- with .scaling.inFlight }}
    - type: Pods
      pods: { metric: { name: http_requests_in_flight }, target: { type: AverageValue, averageValue: {{ . | quote }} } }
    {{- end }}
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      policies: [{ type: Pods, value: 4, periodSeconds: 15 }]
    scaleDown:
      stabilizationWindowSeconds: 60
      policies: [{ type: Pods, value: 1, periodSeconds: 60 }]
{{- end }}
