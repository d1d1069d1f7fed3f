{{/*
abstract: |
  The ServiceAccount of a pod, and the roles that let it wait for what it depends on.
usage: |
  {{ tuple . "api" "nova-api" | include "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount" }}
*/}}

{{- define "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount" -}}
{{- $envAll := index . 0 -}}
{{- $component := index . 1 -}}
{{- $saName := index . 2 -}}
{{- $saNamespace := $envAll.Release.Namespace }}
{{- $deps := index $envAll.Values.dependencies.static $component }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $saName }}
  namespace: {{ $saNamespace }}
{{- if ((($envAll.Values.endpoints).oci_image_registry).auth).enabled }}
{{- with index (($envAll.Values.secrets).oci_image_registry | default dict) $envAll.Chart.Name }}
imagePullSecrets:
  - name: {{ . }}
{{- end }}
{{- end }}
{{- range $kind, $names := $deps -}}
{{- if $names }}
{{ tuple $envAll $saName $kind | include "helm-toolkit.snippets.kubernetes_pod_rbac_role" }}
{{- end -}}
{{- end -}}
{{- end -}}
