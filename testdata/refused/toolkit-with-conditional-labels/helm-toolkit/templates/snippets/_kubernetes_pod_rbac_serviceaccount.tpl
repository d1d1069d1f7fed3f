{{- define "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount" }}
{{- $envAll := index . 0 }}
kind: ServiceAccount
metadata:
  name: x
  namespace: y
{{- if .z }}
  labels: {}
{{- end }}
{{ end }}
