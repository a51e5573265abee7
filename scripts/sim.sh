#!/usr/bin/env bash
# Runs the simulator: log, partitions, groups and transactions under seeds that choose schedule, faults and clients.
#   scripts/sim.sh 10000          seeds 1 to 10000
#   scripts/sim.sh 10000 50001    10000 seeds from 50001 on
#   scripts/sim.sh --seed 67      one seed, twice, and whether both runs were the same; a failure shows its trace
#   scripts/sim.sh --coordinator  the same arguments for C6: the transaction coordinator alone, under messages that
#                                 are reordered, repeated, delayed and lost
# SIM_TRACE=20000 shows so many of the last events instead of 400.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
cd "$root"
. "$here/jdk.sh"
module=distribution
main=io.takhin.distribution.simulation.Simulate
if [ "${1:-}" = --coordinator ]; then
  shift
  module=plugins/coordinator-transaction
  main=io.takhin.coordinator.transaction.SimulateCoordinator
fi
case "${1:-}" in
  --seed | [0-9]*) ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
mkdir -p "$root/$module/target"
classpath=$root/$module/target/simulation.classpath
"$here/mvn" -q -pl "$module" -am test-compile dependency:build-classpath \
  -Dmdep.outputFile="$classpath" -Dmdep.includeScope=test >"$root/$module/target/simulation.build" 2>&1 || {
  cat "$root/$module/target/simulation.build" >&2
  echo "takhin: the simulator does not compile" >&2
  exit 1
}
exec "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC --add-opens java.base/java.lang=ALL-UNNAMED \
  -Djdk.trackAllThreads=false -Dtakhin.simulation.trace="${SIM_TRACE:-400}" \
  -Dlogback.configurationFile="$root/distribution/src/test/resources/logback-simulation.xml" \
  -cp "$root/$module/target/classes:$root/$module/target/test-classes:$(cat "$classpath")" "$main" "$@"
