{{- define "pod" }}
{{- $envAll := . }}
{{- with $envAll := .Values }}
kind: Pod
metadata: {name: x}
spec:
  containers:
    - name: main
      image: x
{{- end }}
{{- end }}
