{{- define "in-define.pod" }}
---
kind: Pod
metadata:
  name: {{ .name }}
spec:
  containers:
    - name: x
{{- end }}
