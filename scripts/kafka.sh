#!/usr/bin/env bash
# Apache Kafka, the broker that Takhin is compared with: fetched from Maven Central into build/, never shipped. One node
# on loopback with the settings that it ships with (G1, 1 GiB heap, 3 + 8 threads).
#   scripts/kafka.sh libs                          fetches the jars if they are not there, and prints their directory
#   scripts/kafka.sh format DIR PORT [KEY=VALUE]   a broker without data in the new directory DIR, that will listen on PORT
#   scripts/kafka.sh run DIR                       becomes the broker's process, until it gets SIGTERM
# scripts/differential.sh asks it the same as Takhin; scripts/bench.sh takes the jars and starts it itself, tuned or not.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/jdk.sh"
libs=${KAFKA_LIBS:-$here/../build/bench/kafka-libs}

fetch() {
  [ -f "$libs/.complete" ] && return
  "$here/mvn" -q -f "$here/bench/kafka/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$(realpath -m "$libs")" -DincludeScope=runtime >&2
  touch "$libs/.complete"
}

java_in() { # DIR ARGUMENTS: Java with Kafka's classes
  local dir=$1
  shift
  exec "$JAVA_HOME/bin/java" -Dlog4j2.configurationFile="$dir/log4j2.yaml" -Djava.awt.headless=true "$@"
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
}

case "${1:-}" in
  libs)
    fetch
    realpath "$libs"
    ;;
  format)
    fetch
    dir=$2 port=$3
    shift 3
    mkdir -p "$dir"
    controller=$(free_port)
    cat >"$dir/server.properties" <<X
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=$dir/data
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
X
    printf '%s\n' "$@" >>"$dir/server.properties"
    cat >"$dir/log4j2.yaml" <<X
Configuration:
  Appenders:
    Console: {name: C, PatternLayout: {pattern: "%d %p %m (%c)%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: C}}
X
    java_in "$dir" -cp "$libs/*" kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg \
      -c "$dir/server.properties" --standalone
    ;;
  run)
    java_in "$2" -Xmx1G -Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 \
      -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent \
      -cp "$libs/*" kafka.Kafka "$2/server.properties"
    ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
