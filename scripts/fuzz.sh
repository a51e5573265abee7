#!/usr/bin/env bash
# Looks, guided by coverage, for bytes that a parser cannot take: no uncaught exception, no more than 64 MiB, no more
# than a second (docs/limits.md). Jazzer comes from Maven Central and is no part of Takhin.
#   scripts/fuzz.sh               every target, 60 s each
#   scripts/fuzz.sh requests 600  one target for 10 minutes: frames requests batches codecs groups transactions yaml
#   KEEP=1 scripts/fuzz.sh ...    puts few small inputs that reach all that was reached into src/test/corpus, which the
#                                 tests replay
# What it finds is in build/fuzz/<target>/crash-*.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
cd "$root"
. "$here/jdk.sh"
version=0.30.0
jazzer=$root/build/tools/jazzer-$version
kept=400 # inputs of a target, at most, and how many bytes they may have together
kept_bytes=262144
hash=$(printf '[0-9a-f]%.0s' {1..40}) # what a fuzzer's own input is called
# Connections are how frames are fed, not what a fuzzer should make of them.
unhooked=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery

place() { # target: its module and class
  case "$1" in
    frames) echo plugins/protocol-kafka io.takhin.protocol.kafka.FuzzFrames ;;
    requests) echo plugins/protocol-kafka io.takhin.protocol.kafka.FuzzRequests ;;
    batches) echo plugins/storage-local io.takhin.storage.local.FuzzBatches ;;
    codecs) echo plugins/codec-native io.takhin.codec.natives.FuzzCodecs ;;
    groups) echo plugins/coordinator-group io.takhin.coordinator.group.FuzzGroups ;;
    transactions) echo plugins/coordinator-transaction io.takhin.coordinator.transaction.FuzzTransactions ;;
    yaml) echo takhin-kernel io.takhin.kernel.FuzzYaml ;;
    *)
      sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
}

targets=${1:-frames requests batches codecs groups transactions yaml}
seconds=${2:-60}
modules=
for target in $targets; do
  where=$(place "$target")
  modules=$modules${modules:+,}${where% *}
done
if [ ! -e "$jazzer/jazzer-$version.jar" ]; then
  for artifact in jazzer jazzer-api; do
    "$here/mvn" -q -N dependency:copy -Dartifact=com.code-intelligence:$artifact:$version -DoutputDirectory="$jazzer"
  done
fi
mkdir -p build/fuzz
"$here/mvn" -q -pl "$modules" -am test-compile dependency:build-classpath -Dmdep.outputFile=target/fuzz.classpath \
  -Dmdep.includeScope=test -Dspotless.check.skip >build/fuzz/build.log 2>&1 || {
  cat build/fuzz/build.log >&2
  exit 1
}
failed=
for target in $targets; do
  read -r module class <<<"$(place "$target")"
  work=$root/build/fuzz/$target
  corpus=$root/$module/src/test/corpus/$target
  mkdir -p "$work/found" "$corpus"
  classpath=$root/$module/target/test-classes:$root/$module/target/classes:$(cat "$module/target/fuzz.classpath")
  # A merge starts the fuzzer again by this name.
  mkdir -p "$work/bin"
  cat >"$work/bin/jazzer" <<X
#!/bin/sh
exec "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC -Dtakhin.fuzz=true --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow -XX:+EnableDynamicAgentLoading -cp "$jazzer/*:$classpath" \
  com.code_intelligence.jazzer.Jazzer "\$@"
X
  chmod +x "$work/bin/jazzer"
  fuzz() {
    (cd "$work" && PATH=$work/bin:$PATH jazzer --target_class="$class" \
      --instrumentation_includes='io.takhin.**:org.apache.kafka.common.message.**:org.snakeyaml.**' --reproducer_path="$work" \
      --disabled_hooks="$unhooked" --custom_hook_includes='io.takhin.**' \
      -artifact_prefix="$work/" -max_len=4096 -timeout=60 -rss_limit_mb=3000 "$@")
  }
  echo "==> $target: $class, $seconds s"
  fuzz -max_total_time="$seconds" -print_final_stats=1 "$work/found" "$corpus" >"$work/log" 2>&1 || failed="$failed $target"
  grep -E 'stat::number_of_executed_units|stat::new_units_added|== Java Exception|ERROR' "$work/log" || true
  echo "    $(ls "$work/found" | wc -l) inputs reach $(grep -o 'cov: [0-9]*' "$work/log" | tail -n 1 | cut -d' ' -f2) places"
  if [ -n "${KEEP:-}" ]; then
    # Inputs with a name of their own were put there by hand, a finding's above all: they stay, and what the merge
    # chooses, which has the name of its hash, is what reaches more than they do.
    rm -rf "$work/merged" "$work/chosen" && mkdir "$work/merged" "$work/chosen"
    find "$corpus" -type f ! -name "$hash" -exec cp -t "$work/merged" {} +
    fuzz -set_cover_merge=1 "$work/merged" "$corpus" "$work/found" >"$work/merge.log" 2>&1 || true
    find "$work/merged" -type f -name "$hash" -exec mv -t "$work/chosen" {} +
    if ! grep -q 'MERGE-OUTER: [0-9]* new files' "$work/merge.log"; then
      echo "takhin: the merge did not come to its end; see $work/merge.log" >&2
      exit 1
    fi
    find "$corpus" -type f -name "$hash" -delete
    all=0 bytes=0
    for file in "$corpus"/*; do
      [ ! -e "$file" ] || all=$((all + 1)) bytes=$((bytes + $(stat -c %s "$file")))
    done
    while read -r file; do
      size=$(stat -c %s "$work/chosen/$file")
      [ $((all + 1)) -le "$kept" ] && [ $((bytes + size)) -le "$kept_bytes" ] || break
      cp "$work/chosen/$file" "$corpus/$file"
      all=$((all + 1)) bytes=$((bytes + size))
    done < <(ls -Sr "$work/chosen")
    reach=$(($(ls "$work/merged" | wc -l) + $(ls "$work/chosen" | wc -l)))
    echo "    $all of $reach inputs that reach all of it are kept, $bytes bytes"
  fi
done
if [ -n "$failed" ]; then
  echo "takhin: found something in:$failed; see build/fuzz/<target>/log" >&2
  exit 1
fi
