{{- define "helm-toolkit.snippets.kubernetes_image_pull_secrets" -}}
{{- $envAll := index . 0 -}}
{{- $own := index . 1 -}}
{{- if $own }}
imagePullSecrets:
{{- range $own }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}
