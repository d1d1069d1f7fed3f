{{/* Not there yet. */}}
