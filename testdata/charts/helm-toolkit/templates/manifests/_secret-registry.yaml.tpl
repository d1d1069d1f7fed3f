{{- define "helm-toolkit.manifests.secret_registry" -}}
{{- end -}}
