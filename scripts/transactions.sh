#!/usr/bin/env bash
# The tests of transactions with more rounds than the test command has, against the tarball. It has to be built once
# before (scripts/build-tarball.sh does).
#   scripts/transactions.sh streams 10   Kafka Streams exactly once: kills of its programs and of the broker, so many rounds
#   scripts/transactions.sh money 100    money is moved while the broker is killed, so many times
#   scripts/transactions.sh torn 2000    late and repeated requests on several connections, so many seeds
#   scripts/transactions.sh clients      the programs of docs/transactions.md: Java, confluent-kafka, kafkajs
# SEED=7 scripts/transactions.sh ... takes another (first) seed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
seed=${SEED:-1}

run() { # test, properties...
  local test=$1
  shift
  [ -n "$(ls distribution/target/takhin-*.tar.gz 2>/dev/null)" ] || scripts/build-tarball.sh
  [ ! -d build/tools ] || export TEST_TOOLS=${TEST_TOOLS:-$PWD/build/tools}
  scripts/mvn -q -pl distribution -am test-compile failsafe:integration-test@default failsafe:verify@default \
    "-Dit.test=$test" -Dfailsafe.failIfNoSpecifiedTests=false -Dspotless.check.skip "$@"
}

case "${1:-}" in
  streams) run StreamsIT "-Dtakhin.streams.rounds=${2:-10}" "-Dtakhin.streams.seed=$seed" ;;
  money) run 'TransactionsIT#c5*' "-Dtakhin.money.rounds=${2:-100}" "-Dtakhin.money.seed=$seed" ;;
  torn) run 'TornTransactionsIT#c6*' "-Dtakhin.torn.seeds=${2:-2000}" "-Dtakhin.torn.seed=$seed" ;;
  clients)
    [ -n "${TEST_TOOLS:-}" ] || [ -d build/tools/kafkajs ] ||
      echo "takhin: clients that are not installed are left out: scripts/test.sh installs all of them." >&2
    run TransactionalClientsIT
    ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
