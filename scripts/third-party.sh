#!/usr/bin/env bash
# Writes distribution/src/main/dist/THIRD-PARTY.txt: the jars of others in the tarball and their licences, as their
# poms in the local Maven repository say. A test compares the list with the jars. Builds the tarball first.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
. "$here/jdk.sh"
tarball=$("$here/build-tarball.sh" | tail -n 1)
repository=$("$here/mvn" -q help:evaluate -Dexpression=settings.localRepository -DforceStdout 2>/dev/null | tail -n 1)
tar -tzf "$tarball" | grep '\.jar$' | sed 's|.*/||' | grep -v '^takhin-' | sort -u |
  "$JAVA_HOME/bin/java" "$here/ThirdParty.java" "$repository" >"$root/distribution/src/main/dist/THIRD-PARTY.txt"
cat "$root/distribution/src/main/dist/THIRD-PARTY.txt"
