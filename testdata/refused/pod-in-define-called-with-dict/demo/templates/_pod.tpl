{{- define "pod" }}
{{- $envAll := . }}
kind: Pod
metadata: {name: x}
spec:
  containers:
    - name: main
      image: x
{{- end }}
