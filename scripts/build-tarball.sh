#!/usr/bin/env bash
# Builds the tarball without running tests, and prints its path as the last line.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
"$here/mvn" -q package -DskipTests -Dspotless.check.skip >&2
ls -t "$PWD"/distribution/target/takhin-*.tar.gz | head -n 1
