{{- define "no-kind.template" }}
metadata:
  labels: {}
spec:
  containers:
    - name: x
{{- end }}
