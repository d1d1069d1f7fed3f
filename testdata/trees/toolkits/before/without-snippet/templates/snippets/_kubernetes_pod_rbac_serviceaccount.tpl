{{/* Pods of this time had no ServiceAccount. */}}
