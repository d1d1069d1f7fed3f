{{/* A Secret with an annotation, made as it was before numbers were thought of. */}}
{{- define "helm-toolkit.manifests.secret_registry" }}
{{- $envAll := index . "envAll" }}
{{- $registryUser := index . "registryUser" }}
{{- $secretName := index $envAll.Values.secrets.oci_image_registry $registryUser }}
{{- $host := tuple "oci_image_registry" "internal" $envAll | include "helm-toolkit.endpoints.endpoint_host_lookup" }}
{{- $port := tuple "oci_image_registry" "internal" "registry" $envAll | include "helm-toolkit.endpoints.endpoint_port_lookup" }}
{{- $login := index $envAll.Values.endpoints.oci_image_registry.auth $registryUser }}
{{- $token := printf "%s:%s" $login.username $login.password | b64enc }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ $secretName }}
  annotations:
    made-for: {{ $registryUser }}
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: {{ printf "{\"auths\": {\"%s:%s\": {\"auth\": \"%s\"}}}" $host $port $token | b64enc }}
{{- end -}}
{{- define "other" }}{{ end }}
