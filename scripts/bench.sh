#!/usr/bin/env bash
# Measures Takhin beside Apache Kafka on this machine, in one run: A B B A, fresh data, the same load, the same JDK.
#   scripts/bench.sh                     all cases, group by group, each broker twice: about 65 minutes
#   scripts/bench.sh --short             P1 P2 P4 F2 L1 M1: about five minutes
#   scripts/bench.sh --cases P1,F1       some cases
#   scripts/bench.sh --group fetch       the cases of a group: life produce small fetch latency scale tools
#   scripts/bench.sh --rounds 4          more rounds: medians of more runs
#   scripts/bench.sh --only TAKHIN       one broker alone, to try things (TAKHIN, KAFKA, TUNED, FLOOR)
#   scripts/bench.sh --no-warm-up        with --cases, to try things
#   scripts/bench.sh --resume            go on with the run that was cut off; what is done stays
#   scripts/bench.sh --short --guard     fail if a ratio is worse than the committed one, beyond its spread
#   scripts/bench.sh --save-ratios       the ratios of this run go to scripts/bench/ratios.tsv
#   scripts/bench.sh --publish           that, and tables and charts into docs/performance.md
#   scripts/bench.sh --jmh [PATTERN]     microbenchmarks of codec, batch walk, CRC, index, waiting fetches
# The whole runs as pieces of a few minutes; if BENCH_ALONE names a command, each piece is run by it
# (one that waits until the machine is at rest). TAKHIN_BENCH_HOME measures an unpacked tarball as it is.
# Leave the machine alone meanwhile: other work ruins the figures. docs/performance.md says what they mean.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
. "$here/jdk.sh"
build=$root/build/bench
results=$build/results.tsv
mkdir -p "$build"

if [ "${1:-}" = --jmh ]; then
  shift
  exec "$here/bench/jmh.sh" "$@"
fi

whole=1 resume= publish= after=() options=()
rounds=2
while [ $# -gt 0 ]; do
  case $1 in
    --guard)
      [ -f "$here/bench/ratios.tsv" ] || { echo "bench: no ratios are committed; --save-ratios makes them" >&2 && exit 2; }
      after+=(--guard "$here/bench/ratios.tsv")
      ;;
    --save-ratios) after+=(--save "$here/bench/ratios.tsv") ;;
    --publish) publish=1 ;;
    --resume) resume=1 ;;
    --rounds) rounds=$2 && shift ;;
    --short | --cases | --group)
      whole=
      options+=("$1")
      [ "$1" = --short ] || { options+=("$2") && shift; }
      ;;
    --only | --round) options+=("$1" "$2") && shift ;;
    --no-warm-up) options+=("$1") ;;
    *) echo "bench: there is no option $1; the head of $0 names them" >&2 && exit 2 ;;
  esac
  shift
done

if [ -z "${TAKHIN_BENCH_HOME:-}" ]; then
  tarball=$("$here/build-tarball.sh" | tail -n 1)
  rm -rf "$build/takhin"
  mkdir -p "$build/takhin"
  tar -xzf "$tarball" -C "$build/takhin" --strip-components=1
  # Part of an installation, as formatting is for Kafka.
  "$build/takhin/bin/takhin.sh" train >&2
  TAKHIN_BENCH_HOME=$build/takhin
fi
kafka_libs=$("$here/kafka.sh" libs)
if command -v cc >/dev/null && [ "$(uname -m)" = x86_64 ]; then
  cc -O2 -msse4.2 -o "$build/floor" "$here/bench/floor.c"
fi
"$here/mvn" -q -f "$here/bench/pom.xml" compile dependency:copy-dependencies \
  -DoutputDirectory="$build/libs" -DincludeScope=runtime
[ -n "$resume" ] || rm -f "$results"

# What brokers leave is emptied at once and removed here: removed between two brokers, it would cost the second.
work=$build/work
trap 'rm -rf "$work"' EXIT

# The load generator is a JVM of its own; what it measures is added to the results.
bench=("$JAVA_HOME/bin/java" -Xmx2g -XX:MaxDirectMemorySize=8g -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED
  -cp "$here/bench/target/classes:$build/libs/*" io.takhin.bench.Bench
  "$TAKHIN_BENCH_HOME" "$kafka_libs" "$work" "$results")

if [ -z "$whole" ]; then
  status=0
  ${BENCH_ALONE:-} "${bench[@]}" "${options[@]}" --rounds "$rounds" ${after[@]+"${after[@]}"} || status=$?
  exit $status
fi
for group in life produce small fetch latency scale tools; do
  for ((round = 0; round < rounds; round++)); do
    echo "== $group, round $((round + 1)) of $rounds"
    # A case that fails is in the results as such; the others go on.
    ${BENCH_ALONE:-} "${bench[@]}" --group "$group" --round "$round" --rounds "$rounds" \
      ${options[@]+"${options[@]}"} >"$build/piece.log" 2>&1 || true
    sed '/^|/,$d' "$build/piece.log"
  done
done
if [ -n "$publish" ]; then
  after+=(--save "$here/bench/ratios.tsv" --publish "$root/docs")
fi
status=0
"${bench[@]}" --table ${after[@]+"${after[@]}"} || status=$?
exit $status
