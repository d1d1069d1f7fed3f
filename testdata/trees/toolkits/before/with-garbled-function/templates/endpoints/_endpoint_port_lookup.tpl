{{- define "helm-toolkit.endpoints.endpoint_port_lookup" -}}
{{- $ports := index (index (index . 3).Values.endpoints (index . 0)).port (index . 2) -}}
{{- printf "%1.f" (index $ports "default") -}}
{{- end -}}
