{{- define "hard.pod" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Values.name }}
spec:
  containers:
    - name: main
      image: x
{{- end }}
{{- define "hard.static" -}}
apiVersion: v1
kind: Pod
metadata:
  name: static
spec:
  containers:
    - name: main
      image: x
{{- end }}
{{- define "hard.daemonset" -}}
{{- $envAll := index . 0 }}
{{- $account := index . 1 }}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: daemonset
spec:
  template:
    spec:
      serviceAccountName: {{ $account }}
      containers:
        - name: main
          image: x
{{- end }}
