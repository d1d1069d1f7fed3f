{{- define "pod" }}
kind: Pod
metadata: {name: x}
spec:
{{- $envAll := index . 0 }}
  containers:
    - name: main
      image: x
{{- end }}
