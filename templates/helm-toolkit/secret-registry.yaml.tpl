{{/*
Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

   http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/}}

{{/*
abstract: |
  Creates the Secret that lets Kubernetes pull images from a registry that asks
  for a password. The port is part of the registry's name only where one is set.
values: |
  secrets:
    oci_image_registry:
      nova: nova-oci-image-registry-key
  endpoints:
    cluster_domain_suffix: cluster.local
    oci_image_registry:
      name: oci-image-registry
      namespace: oci-image-registry
      auth:
        enabled: true
        nova:
          username: nova
          password: password
      hosts:
        default: localhost
      host_fqdn_override:
        default: registry.example.com
      port:
        registry:
          default: 5000
usage: |
  {{ include "helm-toolkit.manifests.secret_registry" ( dict "envAll" . "registryUser" .Chart.Name ) }}
return: |
  ---
  apiVersion: v1
  kind: Secret
  metadata:
    name: nova-oci-image-registry-key
  type: kubernetes.io/dockerconfigjson
  data:
    .dockerconfigjson: eyJhdXRocyI6eyJyZWdpc3RyeS5leGFtcGxlLmNvbTo1MDAwIjp7ImF1dGgiOiJibTkyWVRwd1lYTnpkMjl5WkE9PSJ9fX0=
*/}}

{{- define "helm-toolkit.manifests.secret_registry" -}}
{{- $envAll := index . "envAll" }}
{{- $registryUser := index . "registryUser" }}
{{- $secretName := index ( ($envAll.Values.secrets).oci_image_registry | default dict ) $registryUser }}
{{- if not $secretName }}
{{- fail ( printf "secrets.oci_image_registry.%s: set the name of the Secret" $registryUser ) }}
{{- end }}
{{- $login := index $envAll.Values.endpoints.oci_image_registry.auth $registryUser | default dict }}
{{- range $key := list "username" "password" }}
{{- $value := index $login $key }}
{{- /* YAML takes 0123, 1e5 or yes for something else than is written; --set takes digits as they are */}}
{{- if not ( and $value ( or ( kindIs "string" $value ) ( kindIs "int64" $value ) ) ) }}
{{- fail ( printf "endpoints.oci_image_registry.auth.%s.%s: set it, in quotes (or by --set-string)" $registryUser $key ) }}
{{- end }}
{{- end }}
{{- $registry := tuple "oci_image_registry" "internal" $envAll | include "helm-toolkit.endpoints.endpoint_host_lookup" }}
{{- /* endpoint_port_lookup can neither say that there is no port nor read one that --set or a string gave */}}
{{- $ports := (($envAll.Values.endpoints.oci_image_registry).port).registry | default dict }}
{{- with index $ports "internal" | default ( index $ports "default" ) }}
{{- $registry = printf "%s:%v" $registry . }}
{{- end }}
{{- $dockerAuthToken := printf "%v:%v" $login.username $login.password | b64enc }}
{{- $dockerAuth := dict "auths" ( dict $registry ( dict "auth" $dockerAuthToken ) ) | toJson | b64enc }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ $secretName }}
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: {{ $dockerAuth }}
{{- end }}
