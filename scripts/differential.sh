#!/usr/bin/env bash
# Asks Apache Kafka 4.3.1 and Takhin the same and compares the answers: error codes, fields, whether the connection lives.
#   scripts/differential.sh 2000         so many random scripts of about 20 requests, of a new seed each time
#   scripts/differential.sh 2000 --seed 7   those of the seeds 7, 8, ...; a script that is answered differently is shrunk and shown
#   scripts/differential.sh --seed 7     the script of one seed
#   scripts/differential.sh --fixed [NAME]  the fixed scripts whose names begin so, at both brokers
#   scripts/differential.sh --record [FAMILY]  Kafka's answers to the fixed scripts, for DifferentialIT
# What differs and shall is in distribution/src/test/resources/differential/accepted-differences.md.
# Kafka takes 1 GiB of memory. KAFKA_LIBS may name a directory with its jars.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
cd "$root"
. "$here/jdk.sh"
case "${1:-}" in
  --fixed | --record | --seed | [0-9]*) ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
work=$(mktemp -d "${TMPDIR:-/tmp}/takhin-differential.XXXXXX")
pids=()
finish() {
  local pid
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

port() { # one that nobody has now
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
}

await() { # NAME PORT PID LOG: until it listens
  for _ in $(seq 600); do
    (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return
    kill -0 "$3" 2>/dev/null || break
    sleep 0.2
  done
  echo "takhin: $1 did not start" >&2
  tail -n 30 "$4" >&2
  exit 1
}

mkdir -p "$root/distribution/target"
classpath=$root/distribution/target/differential.classpath
goals=(test-compile)
[ "$1" = --record ] || goals=(package -DskipTests)
"$here/mvn" -q -pl distribution -am "${goals[@]}" -Dspotless.check.skip dependency:build-classpath \
  -Dmdep.outputFile="$classpath" -Dmdep.includeScope=test >&2

kafka=$(port)
# A group's first member waits for nobody in the scripts.
nice "$here/kafka.sh" format "$work/kafka" "$kafka" group.initial.rebalance.delay.ms=0 >"$work/format.log" 2>&1 || {
  cat "$work/format.log" >&2
  exit 1
}
nice "$here/kafka.sh" run "$work/kafka" >"$work/kafka.log" 2>&1 &
pids+=($!)
if [ "$1" != --record ]; then
  mkdir "$work/takhin"
  tar -xzf "$(ls -t "$root"/distribution/target/takhin-*.tar.gz | head -n 1)" -C "$work/takhin" --strip-components=1
  takhin=$(port)
  TAKHIN_STORAGE_DATA_DIR=$work/data TAKHIN_SERVER_HOST=127.0.0.1 TAKHIN_SERVER_PORT=$takhin \
    TAKHIN_KAFKA_ADVERTISED_HOST=127.0.0.1 TAKHIN_METRICS_HOST=127.0.0.1 TAKHIN_METRICS_PORT=$(port) \
    TAKHIN_HEALTH_HOST=127.0.0.1 TAKHIN_HEALTH_PORT=$(port) TAKHIN_HEAP=512m \
    TAKHIN_KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0 \
    nice "$work/takhin/bin/takhin.sh" >"$work/takhin.log" 2>&1 &
  pids+=($!)
  await Takhin "$takhin" "${pids[1]}" "$work/takhin.log"
fi
await Kafka "$kafka" "${pids[0]}" "$work/kafka.log"

run() {
  "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC \
    -Dlogback.configurationFile="$root/distribution/src/test/resources/logback-test.xml" \
    -cp "$root/distribution/target/test-classes:$(cat "$classpath")" \
    io.takhin.distribution.differential.Differential "$@"
}

case "$1" in
  --record) run record "127.0.0.1:$kafka" "$root/distribution/src/test/resources/differential" "${@:2}" ;;
  --fixed) run fixed "127.0.0.1:$kafka" "127.0.0.1:$takhin" "${@:2}" ;;
  --seed) run random "127.0.0.1:$kafka" "127.0.0.1:$takhin" 1 "$2" ;;
  *)
    first=$(date +%s)
    [ "${2:-}" != --seed ] || first=$3
    run random "127.0.0.1:$kafka" "127.0.0.1:$takhin" "$1" "$first"
    ;;
esac
