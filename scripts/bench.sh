#!/usr/bin/env bash
# Measures Takhin beside Apache Kafka on this machine, in one run: A B B A, fresh data, the same load, the same JDK.
#   scripts/bench.sh                     all cases, one round
#   scripts/bench.sh --short             P1 P2 P4 F2 L1 M1 U1: a few minutes
#   scripts/bench.sh --cases P1,F1       some cases
#   scripts/bench.sh --rounds 2          more rounds: medians of more runs
#   scripts/bench.sh --short --guard     fail if a ratio is worse than the committed one, beyond its spread
#   scripts/bench.sh --save-ratios       commit-worthy ratios of this run go to scripts/bench/ratios.tsv
#   scripts/bench.sh --only TAKHIN       one broker alone, to try things
# Leave the machine alone meanwhile: other work ruins the figures. docs/performance.md says what they mean.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
. "$here/jdk.sh"
build=$root/build/bench
mkdir -p "$build"

if [ -z "${TAKHIN_BENCH_HOME:-}" ]; then
  tarball=$("$here/build-tarball.sh" | tail -n 1)
  rm -rf "$build/takhin"
  mkdir -p "$build/takhin"
  tar -xzf "$tarball" -C "$build/takhin" --strip-components=1
  TAKHIN_BENCH_HOME=$build/takhin
fi
if [ ! -f "$build/kafka-libs/.complete" ]; then
  "$here/mvn" -q -f "$here/bench/kafka/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$build/kafka-libs" -DincludeScope=runtime
  touch "$build/kafka-libs/.complete"
fi
if command -v cc >/dev/null && [ "$(uname -m)" = x86_64 ]; then
  cc -O2 -msse4.2 -o "$build/floor" "$here/bench/floor.c"
fi
"$here/mvn" -q -f "$here/bench/pom.xml" compile dependency:copy-dependencies \
  -DoutputDirectory="$build/libs" -DincludeScope=runtime
arguments=()
for argument in "$@"; do
  case $argument in
    --guard) arguments+=(--guard "$here/bench/ratios.tsv") ;;
    --save-ratios) arguments+=(--save "$here/bench/ratios.tsv") ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "$JAVA_HOME/bin/java" -Xmx2g -XX:MaxDirectMemorySize=8g -XX:+UseSerialGC \
  --enable-native-access=ALL-UNNAMED -cp "$here/bench/target/classes:$build/libs/*" \
  io.takhin.bench.Bench "$TAKHIN_BENCH_HOME" "$build/kafka-libs" "$build/work" ${arguments[@]+"${arguments[@]}"}
