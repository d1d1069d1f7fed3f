{{- define "mine" }}{{ end }}
