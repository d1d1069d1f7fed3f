{{- define "pod" }}
{{- $context := index . 0 }}
kind: Pod
metadata: {name: x}
spec:
  imagePullSecrets:
    - name: own
  containers:
    - name: main
      image: x
{{- end }}
