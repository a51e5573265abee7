#!/usr/bin/env bash
# Runs all tests, and installs what they need: the module tests, then the tarball under real clients (Kafka's own
# tools, Java client and Streams from Maven Central, kcat, kafkajs, kafka-python, confluent-kafka, promtool) and under faults (gcc). Progress
# comes as it goes, a summary with durations at the end. Needs a JDK 25 (any place that scripts/jdk.sh looks at) and Maven; for
# kcat and the Python clients root or sudo on Debian or Ubuntu, or those installed by hand.
#   scripts/test.sh             everything
#   scripts/test.sh --no-it     without the tests that start the tarball
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
cd "$root"
. "$here/jdk.sh"
command -v mvn >/dev/null || {
  echo "takhin: Maven is missing. Install it (apt-get install maven, brew install maven) and try again." >&2
  exit 1
}
tools=$root/build/tools
mkdir -p "$tools"
summary=()
failed=0
began_all=$(date +%s)

step() { # name, command...: runs it, remembers how long it took and whether it passed
  local name=$1 began code
  shift
  began=$(date +%s)
  echo "==> $name"
  "$@"
  code=$?
  if [ $code -eq 0 ]; then
    summary+=("passed  $(printf '%5d' $(($(date +%s) - began))) s  $name")
  else
    summary+=("FAILED  $(printf '%5d' $(($(date +%s) - began))) s  $name (exit code $code)")
    failed=1
  fi
  return $code
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

debian_python() { # whether the Python of Debian's packages has its clients and their codecs
  /usr/bin/python3 -c 'import kafka, lz4, snappy, zstandard, confluent_kafka' 2>/dev/null
}

install_clients() {
  local missing=()
  command -v kcat >/dev/null || missing+=(kcat)
  debian_python || missing+=(python3-kafka python3-lz4 python3-snappy python3-zstandard python3-confluent-kafka)
  command -v gcc >/dev/null && [ -e /usr/include/stdio.h ] || missing+=(gcc libc6-dev)
  command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
  if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || {
      echo "takhin: missing ${missing[*]}, and this is no Debian or Ubuntu: install them by hand." >&2
      return 1
    }
    as_root env DEBIAN_FRONTEND=noninteractive sh -c \
      "apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends ${missing[*]} >/dev/null" || {
      echo "takhin: cannot install ${missing[*]}. As root: apt-get install ${missing[*]}" >&2
      return 1
    }
  fi
  if [ ! -d "$tools/kafkajs/node_modules/kafkajs" ]; then
    mkdir -p "$tools/kafkajs"
    cp distribution/src/test/kafkajs/package.json distribution/src/test/kafkajs/package-lock.json "$tools/kafkajs/"
    (cd "$tools/kafkajs" && npm ci --no-audit --no-fund --loglevel=error) || return 1
  fi
  # Only the program is taken out of Prometheus' package: installing it would start a server on port 9090.
  if ! command -v promtool >/dev/null && [ ! -x "$tools/promtool" ] && command -v apt-get >/dev/null; then
    (cd "$tools" && { apt-get download -q prometheus >/dev/null 2>&1 ||
      { as_root apt-get update -q >/dev/null && apt-get download -q prometheus >/dev/null 2>&1; }; } &&
      dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool &&
      mv usr/bin/promtool promtool && rm -rf usr prometheus_*.deb) ||
      echo "takhin: no promtool; the page of metrics is checked by the tests' own parser alone." >&2
  fi
}

report() {
  local line
  echo
  echo "==> slowest test classes"
  find . -path ./build -prune -o -path '*/target/*-reports/TEST-*.xml' -newer "$tools/.began" -print |
    while read -r line; do
      sed -n 's/.*<testsuite .*name="\([^"]*\)" time="\([0-9.,]*\)" tests="\([0-9]*\)" errors="\([0-9]*\)" skipped="\([0-9]*\)" failures="\([0-9]*\)".*/\2 \1 tests=\3 errors=\4 failures=\6 skipped=\5/p' "$line" | head -n 1
    done | sort -rn >"$tools/.classes"
  head -n 12 "$tools/.classes" | awk '{ printf "%9.1f s  %s  %s %s %s %s\n", $1, $2, $3, $4, $5, $6 }'
  awk '{ for (i = 3; i <= NF; i++) { split($i, kv, "="); sum[kv[1]] += kv[2] } }
    END { printf "==> %d test classes, %d tests, %d failures, %d errors, %d skipped\n", NR, sum["tests"], sum["failures"], sum["errors"], sum["skipped"] }' "$tools/.classes"
  echo "==> summary"
  printf '%s\n' "${summary[@]}"
  echo "==> $(($(date +%s) - began_all)) s in all"
}

touch "$tools/.began"
step "clients and tools" install_clients || true
export TEST_TOOLS=$tools
if [ "${1:-}" = --no-it ]; then
  step "module tests and gates" "$here/mvn" -q verify -DskipITs
else
  step "module tests, gates, and the tarball under real clients" "$here/mvn" -q verify
fi
report
if [ ! -s "$tools/.classes" ]; then
  echo "takhin: no test ran" >&2
  failed=1
fi
[ $failed -eq 0 ] && echo "takhin: all tests passed" || echo "takhin: some tests failed" >&2
exit $failed
