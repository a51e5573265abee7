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

# Read without starting another program: each costs a start of the broker a millisecond or two.
release_of() { # sets release to the value of $2 in the release file of the Java below $1, or to nothing
  local line
  release=
  [ -r "$1/release" ] || return 0
  while IFS= read -r line; do
    case $line in
      "$2="*)
        line=${line#*=\"}
        release=${line%\"*}
        return
        ;;
    esac
  done <"$1/release"
}

java_major() { # sets major to the major version of the Java below $1, or to nothing
  major=
  [ -x "$1/bin/java" ] || return 0
  release_of "$1" JAVA_VERSION
  if [ -z "$release" ]; then
    release=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9.]*\).*/\1/p' | head -n 1)
  fi
  major=${release%%[!0-9]*}
}

find_java() { # sets java_home, or says what is missing
  local candidate major on_path found=
  if [ -n "${TAKHIN_JAVA_HOME:-}" ]; then
    java_major "$TAKHIN_JAVA_HOME"
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
    java_major "$candidate"
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

system_modules() { # sets modules to all of the JDK's but those in incubation, which would print a warning at every start
  local module
  modules=
  release_of "$java_home" MODULES
  for module in $release; do
    case $module in
      jdk.incubator.*) ;;
      *) modules=$modules${modules:+,}$module ;;
    esac
  done
  modules=${modules:-ALL-SYSTEM}
}

archive_file() { # sets archive to where what train wrote down for this JDK is: the JVM takes no other's
  release_of "$java_home" JAVA_RUNTIME_VERSION
  archive=$home/lib/takhin-${release:-unknown}.jsa
}

build_command() { # sets command to the JVM and its arguments, without the flags of the user
  local extra=() classes=() collector=() archive modules
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
    classes=("-XX:ArchiveClassesAtExit=$training")
  else
    archive_file
    if [ -r "$archive" ]; then
      classes=("-XX:SharedArchiveFile=$archive")
    fi
  fi
  system_modules
  command=("$java_home/bin/java"
    # A gigabyte serves thousands of connections: payload lies outside the heap.
    "-Xms48m" "-Xmx${TAKHIN_HEAP:-1g}"
    ${collector[@]+"${collector[@]}"}
    # One that does not fit any more (a jar was replaced, all of it moved) is not worth a line.
    ${classes[@]+"${classes[@]}"} "-Xlog:cds*=off,aot*=off,class+path=off,trimnative=off"
    -XX:+UseCompactObjectHeaders
    # What is called often is called so often that it may be compiled five times as late; half of a start went
    # into compiling the rest (ADR 166, as for the next two).
    -XX:CompileThresholdScaling=5
    # What the compilers used at the start goes back to the system.
    -XX:TrimNativeHeapInterval=10000
    # Statistics for jps and jstat, twenty times a second; jcmd works with the process id.
    -XX:-UsePerfData
    # Each constructor that is called by reflection would be compiled into a class first: there are 30, called once.
    -Djdk.reflect.useNativeAccessorOnly=true
    -XX:+ExitOnOutOfMemoryError
    # Plugins find every module of the JDK; only the kernel may hand native access on.
    --add-modules "$modules"
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

# Numbers and strings as Kafka's protocol has them, four characters of printf's for a byte.
i16() { printf '\\x%02x\\x%02x' $(($1 >> 8 & 255)) $(($1 & 255)); }
i32() { i16 $(($1 >> 16)) && i16 "$1"; }
text() { # ASCII
  local i
  i16 ${#1}
  for ((i = 0; i < ${#1}; i++)); do printf '\\x%02x' "'${1:i:1}"; done
}

request() { # sends the request with key $1, version $2 and body $3 to descriptor 3; reads the answer
  local all length=0 byte
  all=$(i16 "$1" && i16 "$2" && i32 1 && text takhin)$3
  printf '%b' "$(i32 $((${#all} / 4)))$all" >&3
  for byte in $(dd bs=1 count=4 <&3 2>/dev/null | od -An -tu1); do
    length=$((length << 8 | byte))
  done
  dd bs=1 count="$length" <&3 >/dev/null 2>&1
}

first_requests() { # what a first client asks on port $1: its answers need classes, too
  local topic batch
  { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 0
  topic=$(text first)
  # A batch of one record, its value "first".
  batch='\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3d\x00\x00\x00\x00\x02\xbb\x4c\xe3\xee\x00\x00\x00\x00\x00\x00\x00\x00\x01\x8b\xcf\xe5\x68\x00\x00\x00\x01\x8b\xcf\xe5\x68\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x01\x16\x00\x00\x00\x01\x0a\x66\x69\x72\x73\x74\x00'
  request 18 0 ''                                                             # ApiVersions
  request 19 2 "$(i32 1)$topic$(i32 1)$(i16 1)$(i32 0)$(i32 0)$(i32 9999)\\x00" # CreateTopics
  request 3 1 "$(i32 1)$topic"                                                # Metadata
  request 0 3 "$(i16 -1)$(i16 -1)$(i32 9999)$(i32 1)$topic$(i32 1)$(i32 0)$(i32 $((${#batch} / 4)))$batch" # Produce
  request 1 4 "$(i32 -1)$(i32 0)$(i32 1)$(i32 9999)\\x00$(i32 1)$topic$(i32 1)$(i32 0)$(i32 0)$(i32 0)$(i32 9999)" # Fetch
  exec 3>&-
}

train() {
  find_java
  local archive pid waited=0
  archive_file
  [ -w "$home/lib" ] || fail "$home/lib cannot be written. Run this as the owner of the installation."
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  training=$scratch/takhin.jsa
  build_command
  : >"$scratch/log"
  TAKHIN_METRICS_PORT=0 TAKHIN_HEALTH_PORT=0 TAKHIN_KAFKA_ADVERTISED_PORT=9092 nohup "${command[@]}" -port 0 -data-dir "$scratch/data" \
    >"$scratch/log" 2>&1 </dev/null &
  pid=$!
  while ! grep -q 'Takhin ready in' "$scratch/log" && [ "$waited" -lt $((${TAKHIN_START_TIMEOUT:-60} * 10)) ] &&
    kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    waited=$((waited + 1))
  done
  first_requests "$(sed -n 's/, health on .*//; s/.*clients connect to \[.*:\([0-9]*\)\]$/\1/p' "$scratch/log")" || true
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
