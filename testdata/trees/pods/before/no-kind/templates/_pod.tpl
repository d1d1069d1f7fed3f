{{- define "no-kind.template" }}
metadata:
  labels: {}
spec:
  containers:
    - name: x
      image: x
{{- end }}
