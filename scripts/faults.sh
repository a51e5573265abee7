#!/usr/bin/env bash
# The tests of crashes, damage and disks, with more rounds than the test command has. What each of them holds the broker
# to is in docs/durability.md.
#   scripts/faults.sh r1 300                  kill -9 under idempotent load and commits, so many times
#   scripts/faults.sh r1 --transactions 100   the same under transactions that move money
#   scripts/faults.sh r2 4096                 tails torn at so many of their last 4096 bytes, in the log and under the process
#   scripts/faults.sh r3                      bits flipped: all of a batch header under the process, and more of every file
#   scripts/faults.sh r5                      nine kinds of missing, empty, foreign and zeroed files
#   scripts/faults.sh r6 500                  a disk that is full at write k, for so many k
#   scripts/faults.sh r7 | r8                 fsync fails once or always | a disk that is slow or stalls
#   scripts/faults.sh r9 50                   power cuts of a broker, so many
#   scripts/faults.sh r10                     every crash point: of the log, and of the metadata under the process
#   scripts/faults.sh r11 | r12               a clock that jumps and flickers | a process that is stopped
#   scripts/faults.sh r13 4000                little memory under so many megabytes; few files; no more threads
#   scripts/faults.sh all                     all of them, with these counts
#   scripts/faults.sh hostile 1500            B9 with so many clients of each of six kinds, 500 a second (RATE), which
#                                             may make a healthy client's p99 twice its own (P99; 0: only told; let
#                                             nothing else run); 1,000,000 random inputs for each codec (INPUTS),
#                                             10,000 configuration files, 1,000,000 names of groups (NAMES),
#                                             100,000 fetch sessions (SESSIONS)
#   scripts/faults.sh --help                  this
# SEED=7 scripts/faults.sh ... takes another seed. Needs gcc. Figures are printed, failures too; the exit code tells.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
seed=${SEED:-1}

help() { sed -n '2,22s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

number() { # the count, or its default
  case ${1:-$2} in
    *[!0-9]* | '') echo "takhin: '$1' is no number. Try: scripts/faults.sh --help" >&2 && exit 2 ;;
    *) echo "${1:-$2}" ;;
  esac
}

with_broker() { # test, properties...: against the tarball
  local test=$1
  shift
  [ -n "$(ls distribution/target/takhin-*.tar.gz 2>/dev/null)" ] || scripts/build-tarball.sh
  scripts/mvn -q -pl distribution -am verify -Dtest=NoUnitTest -Dsurefire.failIfNoSpecifiedTests=false \
    "-Dit.test=$test" -Dfailsafe.failIfNoSpecifiedTests=false "-Dtakhin.faults.seed=$seed" -Dspotless.check.skip "$@"
}

in_module() { # module, test, properties...
  local module=$1 test=$2
  shift 2
  scripts/mvn -q -pl "plugins/$module" -am test "-Dtest=$test" -Dsurefire.failIfNoSpecifiedTests=false \
    "-Dtakhin.faults.seed=$seed" -Dspotless.check.skip "$@"
}

run() { # test, count
  local count
  case $1 in
    r1)
      if [ "${2:-}" = --transactions ]; then
        count=$(number "${3:-}" 100)
        with_broker 'CrashIT#killsTear*' "-Dtakhin.faults.transaction.rounds=$count" -Dtakhin.it.heap=3g
      else
        count=$(number "${2:-}" 300)
        with_broker 'CrashIT#killsLose*' "-Dtakhin.faults.rounds=$count" -Dtakhin.it.heap=3g
      fi
      ;;
    r2)
      count=$(number "${2:-}" 4096)
      in_module storage-local 'DamageTest#aTailTorn*' "-Dtakhin.faults.tears=$count"
      with_broker 'DamageIT#r2*' "-Dtakhin.faults.process.tears=$count"
      ;;
    r3)
      in_module storage-local 'DamageTest#*Bit*' -Dtakhin.faults.bodies=2000 -Dtakhin.faults.bits=4000
      in_module cluster-raft 'SnapshotFileTest,RatisLogFilesTest,RestartTest#aDamaged*+aChanged*'
      with_broker 'DamageIT#r3*' -Dtakhin.faults.process.bits=8
      ;;
    r5)
      in_module storage-local 'DamageTest#nineKinds*'
      with_broker 'DamageIT#*R5*'
      ;;
    r6) with_broker 'DiskFaultsIT#aFullDisk*+partitions*' "-Dtakhin.faults.calls=$(number "${2:-}" 500)" ;;
    r7) with_broker 'DiskFaultsIT#anFsync*' ;;
    r8) with_broker 'DiskFaultsIT#aS*' ;;
    r9) with_broker PowerCutIT "-Dtakhin.faults.cuts=$(number "${2:-}" 50)" ;;
    r10)
      in_module storage-local CrashPointTest -Dtakhin.faults.step=1
      with_broker MetadataCrashIT -Dtakhin.faults.points=0
      ;;
    r11) with_broker 'TimeFaultsIT#clock*' ;;
    r12) with_broker 'TimeFaultsIT#aProcess*' ;;
    r13) with_broker ScarcityIT "-Dtakhin.faults.megabytes=$(number "${2:-}" 1000)" ;;
    hostile)
      scripts/mvn -q -pl plugins/codec-native,takhin-kernel -am test '-Dtest=NativeCodecsTest,HostileConfigTest' \
        -Dsurefire.failIfNoSpecifiedTests=false "-Dtakhin.codec.inputs=${INPUTS:-1000000}" \
        -Dtakhin.config.mutations=10000
      in_module coordinator-group ManyGroupsTest "-Dtakhin.hostile.groups=${NAMES:-1000000}"
      with_broker HostileIT "-Dtakhin.hostile.clients=$(number "${2:-}" 1500)" -Dtakhin.hostile.growth.mib=1500 \
        -Dtakhin.hostile.per.second="${RATE:-500}" -Dtakhin.hostile.p99="${P99:-2}" \
        "-Dtakhin.hostile.sessions=${SESSIONS:-100000}"
      ;;
    all)
      run r1
      run r1 --transactions
      for each in r2 r3 r5 r6 r7 r8 r9 r10 r11 r12 r13; do run $each; done
      ;;
    -h | --help | help) help ;;
    *)
      help >&2
      exit 2
      ;;
  esac
}

run "${1:-nothing}" "${@:2}"
