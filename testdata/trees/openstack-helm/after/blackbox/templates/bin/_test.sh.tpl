#!/bin/sh
kubectl apply -f - <<EOF
---
apiVersion: v1
kind: Pod
metadata:
  name: probe
spec:
  containers:
    - name: probe
      image: {{ .Values.images.tags.blackbox_exporter }}
EOF
