#!/usr/bin/env bash
# From a fresh clone to a running broker: builds the tarball, unpacks it below build/run and runs a broker in the
# foreground with its embedded defaults, until Ctrl-C. What stands behind it goes to the broker:
#   scripts/run.sh -port 9093 -data-dir /tmp/other
# Built once, it starts at once the next time, unless a source is newer than the tarball.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
command -v mvn >/dev/null || {
  echo "takhin: Maven is missing. Install it (apt-get install maven, brew install maven) and try again." >&2
  exit 1
}
. "$here/jdk.sh"

tarball=$(ls -t "$root"/distribution/target/takhin-*.tar.gz 2>/dev/null | head -n 1 || true)
if [ -z "$tarball" ] || [ -n "$(find "$root" \( -name target -o -name build -o -name .git -o -name docs \) -prune \
    -o -type f -newer "$tarball" \( -path '*/src/main/*' -o -name pom.xml -o -path '*/configs/*' \) -print | head -n 1)" ]; then
  echo "takhin: building the tarball (the first build fetches its libraries, which takes minutes)" >&2
  tarball=$("$here/build-tarball.sh" | tail -n 1)
fi
rm -rf "$root/build/run"
mkdir -p "$root/build/run"
tar -xzf "$tarball" -C "$root/build/run" --strip-components 1
exec env TAKHIN_JAVA_HOME="$JAVA_HOME" "$root/build/run/bin/takhin.sh" "$@"
