#!/usr/bin/env bash
# Sourced by the other scripts: leaves JAVA_HOME at a JDK of version 25 or newer, or says what to do.
# Looks at JAVA_HOME, then at the java on the PATH, then where Linux and macOS put JDKs.

takhin_java_major() { # the major version of the java below $1, or nothing
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 1
  "$1/bin/java" -XshowSettings:properties -version 2>&1 |
    sed -n 's/^ *java\.specification\.version = \([0-9]*\).*/\1/p'
}

takhin_find_jdk() {
  local candidate major on_path
  on_path=$(command -v javac 2>/dev/null || true)
  [ -n "$on_path" ] && on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for candidate in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/* \
      "$HOME"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/*jdk*; do
    [ -n "$candidate" ] || continue
    major=$(takhin_java_major "$candidate") || continue
    if [ "${major:-0}" -ge 25 ]; then
      export JAVA_HOME=$candidate
      return 0
    fi
  done
  echo "takhin: no JDK 25 found. Install one (for example Temurin 25) and point JAVA_HOME at it;" \
    "JAVA_HOME is '${JAVA_HOME:-unset}'." >&2
  return 1
}

takhin_find_jdk || exit 1
