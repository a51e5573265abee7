#!/usr/bin/env bash
# Called by scripts/bench.sh --jmh [PATTERN] [JMH's own options]. JMH writes code of its own around each benchmark,
# here from the compiled classes, so that the compiler's gates see ours alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../jdk.sh"
build=$root/build/bench/jmh
rm -rf "$build"
mkdir -p "$build/generated" "$build/classes"
cd "$root"
scripts/mvn -q -pl scripts/bench/jmh -am package dependency:copy-dependencies -DskipTests -Dspotless.check.skip \
  -DincludeScope=runtime -DoutputDirectory="$build/libs"
ours=scripts/bench/jmh/target/classes
java=$JAVA_HOME/bin/java
"$java" -cp "$build/libs/*:$ours" org.openjdk.jmh.generators.bytecode.JmhBytecodeGenerator \
  "$ours" "$build/generated" "$build/classes" reflection >"$build/generate.log"
find "$build/generated" -name '*.java' >"$build/sources"
"$JAVA_HOME/bin/javac" -nowarn -proc:none -cp "$build/libs/*:$ours" -d "$build/classes" @"$build/sources"
exec "$java" --sun-misc-unsafe-memory-access=allow -cp "$build/classes:$ours:$build/libs/*" org.openjdk.jmh.Main "$@"
