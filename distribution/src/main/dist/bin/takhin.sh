#!/usr/bin/env bash
# Runs Takhin from the directory that this script lies in, whatever the working directory is.
# `takhin.sh --help` says how. Written for bash 3.2 and newer.
set -euo pipefail

fail() { # one line, and the way out of it
  echo "takhin: $*" >&2
  exit 1
}

home_of() { # the directory above that of $1, with all links followed
  local path=$1 link
  while [ -L "$path" ]; do
    link=$(readlink "$path")
    case $link in
      /*) path=$link ;;
      *) path=$(dirname "$path")/$link ;;
    esac
  done
  (cd "$(dirname "$path")/.." && pwd -P)
}

usage() {
  cat <<'HELP'
Usage: takhin.sh [COMMAND] [FLAGS]

Without a command the broker runs in the foreground until Ctrl-C or SIGTERM.

Commands
  start     run in the background; returns when the broker is ready
  stop      ask it to finish with SIGTERM, and wait until it has
  status    say whether it runs; exit code 0 if it does, 3 if not
  run       run in the foreground (the default)
  train     start once on scratch data and write down which classes a start loads: later starts
            take two thirds of the time. For a new installation, JDK or plugin; needs to write lib/

Flags, for run and start
  -config FILE      YAML file; without one, the embedded defaults hold
  -data-dir DIR     where data lies (default /tmp/takhin-data)
  -port PORT        port of the Kafka listener (default 9092)
  -version          print the version and end
  -config-reference print every configuration key as Markdown and end
  -h, --help        print this

Environment
  TAKHIN_<KEY>            any key of the configuration, for example TAKHIN_SERVER_PORT=9093
  TAKHIN_JAVA_HOME        the JDK to use (then JAVA_HOME, the PATH, /usr/lib/jvm are not looked at)
  TAKHIN_HEAP             heap size, for example 4g (default 1g; without it the serial collector works)
  TAKHIN_DIRECT_MEMORY    memory outside the heap, for requests and answers in flight (default 1g)
  TAKHIN_JVM_OPTS         more options for the JVM, separated by spaces
  TAKHIN_PID_FILE         where start leaves the process id
  TAKHIN_LOG_FILE         where the output of start goes
  TAKHIN_START_TIMEOUT    seconds that start waits for the broker to be ready (default 60)
  TAKHIN_STOP_TIMEOUT     seconds that stop waits for its end (default 60)
HELP
}

java_major() { # the major version of the Java below $1, or nothing
  [ -x "$1/bin/java" ] || return 0
  local version=
  if [ -r "$1/release" ]; then
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  fi
  if [ -z "$version" ]; then
    version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  fi
  echo "$version"
}

find_java() { # sets java_home, or says what is missing
  local candidate major on_path found=
  if [ -n "${TAKHIN_JAVA_HOME:-}" ]; then
    major=$(java_major "$TAKHIN_JAVA_HOME")
    [ -n "$major" ] || fail "TAKHIN_JAVA_HOME is '$TAKHIN_JAVA_HOME', which holds no bin/java. Point it at a JDK 25 or newer."
    [ "$major" -ge 25 ] || fail "TAKHIN_JAVA_HOME is '$TAKHIN_JAVA_HOME', which is Java $major. Takhin needs JDK 25 or newer: point it at one."
    java_home=$TAKHIN_JAVA_HOME
    return
  fi
  on_path=$(command -v java 2>/dev/null || true)
  if [ -n "$on_path" ]; then
    on_path=$(home_of "$on_path")
  fi
  for candidate in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/* "${HOME:-}"/.sdkman/candidates/java/* \
      "${HOME:-}"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/*jdk*; do
    [ -n "$candidate" ] && [ -d "$candidate" ] || continue
    major=$(java_major "$candidate")
    [ -n "$major" ] || continue
    if [ "$major" -ge 25 ]; then
      java_home=$candidate
      return
    fi
    found="$found${found:+, }Java $major in $candidate"
  done
  fail "Takhin needs JDK 25 or newer, and found ${found:-no Java at all}. Install one (for example Temurin 25) and set TAKHIN_JAVA_HOME or JAVA_HOME to it."
}

state_dir() { # where pid file and log of a background broker go
  local dir=$home/run
  if mkdir -p "$dir" 2>/dev/null && [ -w "$dir" ]; then
    echo "$dir"
    return
  fi
  dir=${XDG_RUNTIME_DIR:-/tmp}/takhin-$(id -u)
  mkdir -p "$dir" 2>/dev/null && [ -O "$dir" ] && [ -w "$dir" ] ||
    fail "neither $home/run nor $dir can be written. Set TAKHIN_PID_FILE and TAKHIN_LOG_FILE to files that can."
  echo "$dir"
}

locate_state() { # sets pid_file and log_file
  pid_file=${TAKHIN_PID_FILE:-}
  log_file=${TAKHIN_LOG_FILE:-}
  if [ -z "$pid_file" ] || [ -z "$log_file" ]; then
    local dir
    dir=$(state_dir)
    pid_file=${pid_file:-$dir/takhin.pid}
    log_file=${log_file:-$dir/takhin.log}
  fi
}

running_pid() { # the process of the pid file, if it lives and is a Takhin
  local pid=
  [ -r "$pid_file" ] && read -r pid <"$pid_file" || true
  case $pid in
    '' | *[!0-9]*) return 0 ;;
  esac
  if kill -0 "$pid" 2>/dev/null || [ -d "/proc/$pid" ]; then
    if ps -p "$pid" -o args= 2>/dev/null | grep -q 'io\.takhin\.kernel'; then
      echo "$pid"
    fi
  fi
}

system_modules() { # all of the JDK's modules but those in incubation, which would print a warning at every start
  local modules=
  if [ -r "$java_home/release" ]; then
    modules=$(sed -n 's/^MODULES="\(.*\)".*/\1/p' "$java_home/release" | tr ' ' '\n' | grep -v '^jdk\.incubator\.' | paste -sd, -)
  fi
  echo "${modules:-ALL-SYSTEM}"
}

archive_file() { # where what train wrote down for this JDK is: the JVM takes no other's
  local version=
  if [ -r "$java_home/release" ]; then
    version=$(sed -n 's/^JAVA_RUNTIME_VERSION="\(.*\)"/\1/p' "$java_home/release")
  fi
  echo "$home/lib/takhin-${version:-unknown}.jsa"
}

build_command() { # sets command to the JVM and its arguments, without the flags of the user
  local extra=() archive=() collector=()
  if [ -n "${TAKHIN_JVM_OPTS:-}" ]; then
    read -r -a extra <<<"$TAKHIN_JVM_OPTS"
  fi
  # Few objects live, and little garbage comes: the smallest collector does, unless somebody gives
  # more heap, in which more lives, or chooses one.
  if [ -z "${TAKHIN_HEAP:-}" ]; then
    case " ${TAKHIN_JVM_OPTS:-} " in
      *" -XX:+Use"*GC\ *) ;;
      *) collector=(-XX:+UseSerialGC) ;;
    esac
  fi
  if [ -n "${training:-}" ]; then
    archive=("-XX:ArchiveClassesAtExit=$training")
  elif [ -r "$(archive_file)" ]; then
    archive=("-XX:SharedArchiveFile=$(archive_file)")
  fi
  command=("$java_home/bin/java"
    # A gigabyte serves thousands of connections: payload lies outside the heap.
    "-Xms48m" "-Xmx${TAKHIN_HEAP:-1g}"
    ${collector[@]+"${collector[@]}"}
    # One that does not fit any more (a jar was replaced, all of it moved) is not worth a line.
    ${archive[@]+"${archive[@]}"} "-Xlog:cds*=off,aot*=off,class+path=off,trimnative=off"
    -XX:+UseCompactObjectHeaders
    # What is called often is called so often that it may be compiled five times as late; half of a start went
    # into compiling the rest (ADR 166, as for the next two).
    -XX:CompileThresholdScaling=5
    # What the compilers used at the start goes back to the system.
    -XX:TrimNativeHeapInterval=10000
    # Statistics for jps and jstat, twenty times a second; jcmd works with the process id.
    -XX:-UsePerfData
    -XX:+ExitOnOutOfMemoryError
    # Plugins find every module of the JDK; only the kernel may hand native access on.
    --add-modules "$(system_modules)"
    --enable-native-access=io.takhin.kernel --illegal-native-access=deny
    # Ratis' protobuf wants Unsafe, and hangs without it.
    --sun-misc-unsafe-memory-access=allow
    # Payload lies here: what requests in flight may hold (kafka.receive.max.bytes), and then some.
    "-XX:MaxDirectMemorySize=${TAKHIN_DIRECT_MEMORY:-1g}"
    # Every access of a frame is checked against its bounds by our own reader; Netty need not again.
    -Dio.netty.buffer.checkBounds=false -Dio.netty.buffer.checkAccessible=false
    # Slow readers of /metrics and /health cannot hold a thread for long.
    -Dsun.net.httpserver.maxReqTime=10
    -Dsun.net.httpserver.maxRspTime=30
    -Djdk.httpserver.maxConnections=256
    "-Dtakhin.home=$home"
    ${extra[@]+"${extra[@]}"}
    -p "$home/lib"
    -m io.takhin.kernel/io.takhin.kernel.Main)
  # The broker refuses variables that name no key, so it does not see those of this script.
  export -n TAKHIN_JAVA_HOME TAKHIN_HEAP TAKHIN_DIRECT_MEMORY TAKHIN_JVM_OPTS TAKHIN_PID_FILE TAKHIN_LOG_FILE TAKHIN_START_TIMEOUT TAKHIN_STOP_TIMEOUT
}

start() {
  locate_state
  local pid waited=0
  pid=$(running_pid)
  [ -z "$pid" ] || fail "already running as process $pid. Stop it with: $0 stop"
  find_java
  build_command
  rm -f "$pid_file"
  : >"$log_file" 2>/dev/null || fail "the log $log_file cannot be written. Set TAKHIN_LOG_FILE to a file that can."
  nohup "${command[@]}" "$@" >>"$log_file" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$pid_file" 2>/dev/null || {
    kill "$pid"
    fail "the pid file $pid_file cannot be written. Set TAKHIN_PID_FILE to a file that can."
  }
  while ! grep -q 'Takhin ready in' "$log_file"; do
    if ! kill -0 "$pid" 2>/dev/null; then
      local code=0
      wait "$pid" || code=$?
      rm -f "$pid_file"
      tail -n 20 "$log_file" >&2
      echo "takhin: ended with code $code while starting; the lines above are from $log_file" >&2
      exit "$code"
    fi
    if [ "$waited" -ge $((${TAKHIN_START_TIMEOUT:-60} * 10)) ]; then
      fail "process $pid is not ready after ${TAKHIN_START_TIMEOUT:-60} s. It goes on; look at $log_file, or stop it with: $0 stop"
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
  echo "takhin: running as process $pid, log $log_file"
}

train() {
  find_java
  local archive pid waited=0
  archive=$(archive_file)
  [ -w "$home/lib" ] || fail "$home/lib cannot be written. Run this as the owner of the installation."
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  training=$scratch/takhin.jsa
  build_command
  TAKHIN_METRICS_PORT=0 TAKHIN_HEALTH_PORT=0 TAKHIN_KAFKA_ADVERTISED_PORT=9092 nohup "${command[@]}" -port 0 -data-dir "$scratch/data" \
    >"$scratch/log" 2>&1 </dev/null &
  pid=$!
  while ! grep -q 'Takhin ready in' "$scratch/log" && [ "$waited" -lt $((${TAKHIN_START_TIMEOUT:-60} * 10)) ] &&
    kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    waited=$((waited + 1))
  done
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" || true
  if ! grep -q 'Takhin ready in' "$scratch/log" || [ ! -s "$training" ]; then
    tail -n 20 "$scratch/log" >&2
    fail "the start to learn from did not succeed; the lines above say why"
  fi
  # Beside it first: a broker that starts meanwhile sees all of it or nothing.
  mv "$training" "$archive.new"
  mv "$archive.new" "$archive"
  echo "takhin: starts will use $archive"
}

stop() {
  locate_state
  local pid waited=0
  pid=$(running_pid)
  if [ -z "$pid" ]; then
    rm -f "$pid_file"
    echo "takhin: not running (no process for $pid_file)"
    return
  fi
  kill -TERM "$pid" || fail "process $pid cannot be stopped by this user. Try with sudo, or as its owner."
  while [ -n "$(running_pid)" ]; do
    if [ "$waited" -ge $((${TAKHIN_STOP_TIMEOUT:-60} * 10)) ]; then
      fail "process $pid still runs after ${TAKHIN_STOP_TIMEOUT:-60} s. Wait longer with TAKHIN_STOP_TIMEOUT; as a last resort: kill -9 $pid (the log recovers at the next start)."
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
  rm -f "$pid_file"
  echo "takhin: stopped"
}

status() {
  locate_state
  local pid
  pid=$(running_pid)
  if [ -n "$pid" ]; then
    echo "takhin: running as process $pid, log $log_file"
  elif [ -e "$pid_file" ]; then
    echo "takhin: not running; $pid_file is left from one that ended without stop"
    exit 3
  else
    echo "takhin: not running"
    exit 3
  fi
}

home=$(home_of "${BASH_SOURCE[0]}")
case "${1:-}" in
  start) shift && start "$@" ;;
  stop) stop ;;
  status) status ;;
  train) train ;;
  -h | -help | --help | help) usage ;;
  run | '' | -*)
    [ "${1:-}" != run ] || shift
    find_java
    build_command
    exec "${command[@]}" "$@"
    ;;
  *) fail "there is no command '$1'. Try: $0 --help" ;;
esac
