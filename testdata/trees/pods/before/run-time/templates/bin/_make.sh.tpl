cat <<EOF | kubectl create -f -
---
kind: Pod
spec:
  containers:
    - name: x
---
kind: Job
spec:
  template:
    spec:
      serviceAccountName: mine
      containers:
        - name: x
EOF
