#!/bin/sh
# Each chart's version must be in its note. (Written for this test; upstream's does the same.)
status=0
for chart in */Chart.yaml; do
  name=$(tr -d '\r' < "$chart" | sed -n 's/^name: *//p' | head -n 1)
  version=$(tr -d '\r' < "$chart" | sed -n "s/^version: *[\"']*\([0-9.]*\).*/\1/p" | head -n 1)
  if ! grep -qF -- "$version" "releasenotes/notes/$name.yaml"; then
    echo "$name $version is not noted"
    status=1
  fi
done
exit $status
