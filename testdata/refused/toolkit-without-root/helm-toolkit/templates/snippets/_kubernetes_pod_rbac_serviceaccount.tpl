{{- define "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount" }}
kind: ServiceAccount
{{ end }}
