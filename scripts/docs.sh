#!/usr/bin/env bash
# Writes docs/configuration.md from the config records of the kernel and of all plugins, or with --check says
# whether it is up to date. Builds the tarball first.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
. "$here/jdk.sh"
tarball=$("$here/build-tarball.sh" | tail -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$tarball" -C "$work" --strip-components 1
TAKHIN_JAVA_HOME="$JAVA_HOME" "$work/bin/takhin.sh" -config-reference >"$work/configuration.md"
if [ "${1:-}" = --check ]; then
  diff -u "$root/docs/configuration.md" "$work/configuration.md" || {
    echo "takhin: docs/configuration.md is out of date. Run: scripts/docs.sh" >&2
    exit 1
  }
else
  cp "$work/configuration.md" "$root/docs/configuration.md"
fi
