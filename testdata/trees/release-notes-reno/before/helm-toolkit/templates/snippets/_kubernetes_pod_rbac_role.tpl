{{- define "helm-toolkit.snippets.kubernetes_pod_rbac_role" -}}
{{- $envAll := index . 0 -}}
{{- $saName := index . 1 -}}
{{- $kind := index . 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ printf "%s-%s" $saName $kind }}
rules:
  - apiGroups: [""]
    resources: [{{ $kind | quote }}]
    verbs: ["get", "list"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ printf "%s-%s" $saName $kind }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ printf "%s-%s" $saName $kind }}
subjects:
  - kind: ServiceAccount
    name: {{ $saName }}
    namespace: {{ $envAll.Release.Namespace }}
{{- end -}}
