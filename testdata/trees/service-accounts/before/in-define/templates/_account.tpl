{{- define "in-define.account" }}
{{- $envAll := index . 0 }}
{{- range $envAll.Values.accounts }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ . }}
{{- end }}
{{- end }}
