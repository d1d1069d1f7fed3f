{{- define "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount" }}
{{- $envAll := index . 0 }}
kind: ServiceAccount
imagePullSecrets: {{ .x }}
{{ end }}
