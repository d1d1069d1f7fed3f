{{/* empty */}}
