#!/bin/sh
# Completes the charts of one repository, for multi-gitter, which calls this in a fresh clone and
# commits what changes. README.md beside this file says how; arguments go to osh-registry-auth.
#
# Ends with 0 where the repository is to be committed, or has nothing to commit. Any other end keeps
# multi-gitter from committing, and lists the repository with those that failed: a chart was refused,
# or something is left that a person must fix.
set -eu

if [ -z "$(git ls-files -- Chart.yaml '*/Chart.yaml')" ]; then
  echo "no charts in ${REPOSITORY:-this repository}"
  exit 0
fi
osh-registry-auth apply "$@"
# What apply cannot fix would be a pull request that promises too much.
osh-registry-auth check -q "$@"
