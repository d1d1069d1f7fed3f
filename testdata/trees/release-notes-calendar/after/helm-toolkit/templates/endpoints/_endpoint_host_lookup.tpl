{{/*
abstract: |
  The host of an endpoint: an override, an address, or the name of its service.
usage: |
  {{ tuple "oslo_db" "internal" . | include "helm-toolkit.endpoints.endpoint_host_lookup" }}
*/}}

{{- define "helm-toolkit.endpoints.endpoint_host_lookup" -}}
{{- $type := index . 0 -}}
{{- $endpoint := index . 1 -}}
{{- $envAll := index . 2 -}}
{{- $map := index $envAll.Values.endpoints $type -}}
{{- $host := index $map.hosts $endpoint | default $map.hosts.default -}}
{{- $override := index $map.host_fqdn_override $endpoint | default $map.host_fqdn_override.default -}}
{{- if $override -}}
{{- $override -}}
{{- else if regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$" $host -}}
{{- $host -}}
{{- else -}}
{{- printf "%s.%s.svc.%s" $host ($map.namespace | default $envAll.Release.Namespace) $envAll.Values.endpoints.cluster_domain_suffix -}}
{{- end -}}
{{- end -}}
