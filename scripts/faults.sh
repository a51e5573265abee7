#!/usr/bin/env bash
# The tests of crashes and disks, with more rounds than the test command has. The tarball and test classes have to be
# built once before (scripts/build-tarball.sh does); R1 to R13 are explained in docs/durability.md.
#   scripts/faults.sh r1 300     kill -9 under load, so many times
#   scripts/faults.sh r2 4096    tails torn at so many of their last 4096 bytes; r3 and r5 with it
#   scripts/faults.sh r9 50      power cuts of a broker, so many
#   scripts/faults.sh r10 1      crash points of the log: every one (5: each fifth)
#   scripts/faults.sh hostile 1500  B9 with so many clients of each of six kinds; 1,000,000 random inputs for each
#                                codec (INPUTS), 10,000 configuration files
#   scripts/faults.sh disk       r6, r7, r8, r11, r12, r13: full, failing, slow; clock, pauses, small heap
# SEED=7 scripts/faults.sh ... takes another seed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
seed=${SEED:-1}

with_broker() { # test, properties...
  local test=$1
  shift
  [ -n "$(ls distribution/target/takhin-*.tar.gz 2>/dev/null)" ] || scripts/build-tarball.sh
  scripts/mvn -q -pl distribution -am verify -Dtest=NoUnitTest -Dsurefire.failIfNoSpecifiedTests=false \
    "-Dit.test=$test" -Dfailsafe.failIfNoSpecifiedTests=false "-Dtakhin.faults.seed=$seed" -Dspotless.check.skip "$@"
}

case "${1:-}" in
  r1) with_broker CrashIT "-Dtakhin.faults.rounds=${2:-20}" ;;
  r2)
    scripts/mvn -q -pl plugins/storage-local -am test '-Dtest=DamageTest' -Dsurefire.failIfNoSpecifiedTests=false \
      "-Dtakhin.faults.tears=${2:-4096}"
    ;;
  r9) with_broker 'DiskFaultsIT#aPowerCut*' "-Dtakhin.faults.cuts=${2:-10}" ;;
  r10)
    scripts/mvn -q -pl plugins/storage-local -am test '-Dtest=CrashPointTest' -Dsurefire.failIfNoSpecifiedTests=false \
      "-Dtakhin.faults.step=${2:-1}"
    ;;
  disk) with_broker DiskFaultsIT ;;
  hostile)
    scripts/mvn -q -pl plugins/codec-native,takhin-kernel -am test '-Dtest=NativeCodecsTest,HostileConfigTest' \
      -Dsurefire.failIfNoSpecifiedTests=false "-Dtakhin.codec.inputs=${INPUTS:-1000000}" \
      -Dtakhin.config.mutations=10000
    with_broker HostileIT "-Dtakhin.hostile.clients=${2:-1500}" -Dtakhin.hostile.growth.mib=1500
    ;;
  *)
    sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
