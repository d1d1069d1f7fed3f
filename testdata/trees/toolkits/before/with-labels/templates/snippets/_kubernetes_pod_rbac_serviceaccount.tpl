{{- define "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount" -}}
{{- $envAll := index . 0 -}}
{{- $saName := index . 2 -}}
{{- $saNamespace := $envAll.Release.Namespace }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $saName }}
  namespace: {{ $saNamespace }}
  labels:
    component: {{ index . 1 }}
  # who made it
  annotations:
{{ toYaml (default (dict "by" "helm-toolkit") $envAll.Values.annotations) | indent 4 }}
{{- end -}}
