{{- define "helm-toolkit.endpoints.endpoint_host_lookup" -}}
localhost
{{- end -}}
