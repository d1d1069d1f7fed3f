{{- define "in-define.account" }}
{{- $envAll := index . 0 }}
{{- range $envAll.Values.accounts }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ . }}
{{- if ((($envAll.Values.endpoints).oci_image_registry).auth).enabled }}
{{- with index (($envAll.Values.secrets).oci_image_registry | default dict) $envAll.Chart.Name }}
imagePullSecrets:
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
