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
    .dockerconfigjson: eyJhdXRocyI6IHsicmVnaXN0cnkuZXhhbXBsZS5jb206NTAwMCI6IHsiYXV0aCI6ICJibTkyWVRwd1lYTnpkMjl5WkE9PSJ9fX0=
*/}}

{{- define "helm-toolkit.manifests.secret_registry" -}}
{{- $envAll := index . "envAll" }}
{{- $registryUser := index . "registryUser" }}
{{- $secretName := index $envAll.Values.secrets.oci_image_registry $registryUser }}
{{- $registry := tuple "oci_image_registry" "internal" $envAll | include "helm-toolkit.endpoints.endpoint_host_lookup" }}
{{- /* endpoint_port_lookup can neither say that there is no port nor read one that --set or a string gave */}}
{{- $ports := (($envAll.Values.endpoints.oci_image_registry).port).registry | default dict }}
{{- with index $ports "internal" | default ( index $ports "default" ) }}
{{- $registry = printf "%s:%v" $registry . }}
{{- end }}
{{- /* a user name or password of digits only is a number to YAML */}}
{{- $imageCredentials := index $envAll.Values.endpoints.oci_image_registry.auth $registryUser }}
{{- $username := ternary $imageCredentials.username ( toJson $imageCredentials.username ) ( kindIs "string" $imageCredentials.username ) }}
{{- $password := ternary $imageCredentials.password ( toJson $imageCredentials.password ) ( kindIs "string" $imageCredentials.password ) }}
{{- $dockerAuthToken := printf "%s:%s" $username $password | b64enc }}
{{- $dockerAuth := printf "{\"auths\": {\"%s\": {\"auth\": \"%s\"}}}" $registry $dockerAuthToken | b64enc }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ $secretName }}
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: {{ $dockerAuth }}
{{- end }}
