# shellcheck shell=bash
# Shared by every component script. Source it; do not run it. A script sets COMPONENT, defines install, up, endpoints and down, and ends with dispatch "$@".
#
#   FLTS_COMPONENTS_DIR  where installs are cached   (default: ~/.cache/flts-components)
#   FLTS_RUN_DIR         pids, logs, data, configs   (default: $FLTS_COMPONENTS_DIR/run)
#   FLTS_READY_SECONDS   deadline for readiness      (default: 60)
#   FLTS_KEEP_DATA       down keeps the data when 1  (default: 0)
#
# Only `export KEY=value` lines go to standard output, so `eval "$(kafka.sh up)"` works.

set -euo pipefail

CACHE="${FLTS_COMPONENTS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/flts-components}"
RUN="${FLTS_RUN_DIR:-$CACHE/run}"
READY_SECONDS="${FLTS_READY_SECONDS:-60}"
HOST=127.0.0.1
mkdir -p "$CACHE" "$RUN"
CACHE=$(cd "$CACHE" && pwd) RUN=$(cd "$RUN" && pwd)

say() { printf '%s: %s\n' "$COMPONENT" "$*" >&2; }
die() { say "$*"; exit 1; }
endpoint() { printf 'export %s=%q\n' "$1" "$2"; }

pid_file() { printf '%s/%s.pid' "$RUN" "${1:-$COMPONENT}"; }
log_file() { printf '%s/%s.log' "$RUN" "${1:-$COMPONENT}"; }

# A pid file holds "PID START"; START (from /proc) tells our process from a later one that got the same number.
started_at() { cut -d')' -f2- "/proc/$1/stat" 2>/dev/null | awk '{print $20}'; }
running() {
  local pid start
  [[ -f $(pid_file "${1:-}") ]] || return 1
  read -r pid start <"$(pid_file "${1:-}")"
  [[ -n $start && $(started_at "$pid") == "$start" ]]
}

# start NAME COMMAND...: in its own process group, detached, with its output in the log.
start() {
  local name=$1 pid
  shift
  setsid "$@" </dev/null >>"$(log_file "$name")" 2>&1 &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$(pid_file "$name")"
}

# stop NAME [SIGNAL] [SECONDS]: signal the group leader, then kill the whole group at the deadline.
stop() {
  local name=$1 signal=${2:-TERM} seconds=${3:-20} pid
  if running "$name"; then
    read -r pid _ <"$(pid_file "$name")"
    kill -s "$signal" "$pid" 2>/dev/null || true
    for ((i = 0; i < seconds * 10; i++)); do running "$name" || break; sleep 0.1; done
    running "$name" && say "$name ignored SIG$signal for ${seconds}s: killing it"
    kill -s KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$(pid_file "$name")"
}

# wait_ready NAME COMMAND...: until COMMAND succeeds, the process dies, or the deadline passes. A start that failed leaves nothing running.
wait_ready() {
  local name=$1 end=$((SECONDS + READY_SECONDS)) fault=""
  shift
  until "$@" >/dev/null 2>&1; do
    if ! running "$name"; then fault="died"; elif ((SECONDS >= end)); then fault="is not ready after ${READY_SECONDS} s"; fi
    if [[ -n $fault ]]; then
      tail -n 20 "$(log_file "$name")" >&2
      stop "$name" KILL
      die "$name $fault; the end of $(log_file "$name") is above"
    fi
    sleep 0.1
  done
}

# port NAME VALUE: VALUE, or for 0 a free port that is remembered until forget_ports.
port() {
  local file="$RUN/$COMPONENT.$1.port" port
  [[ $2 != 0 ]] && { echo "$2"; return; }
  [[ -s $file ]] || { until port=$((20000 + RANDOM % 12000)); ! port_open "$port"; do :; done; echo "$port" >"$file"; }
  cat "$file"
}
forget_ports() { rm -f "$RUN/$COMPONENT".*.port; }
port_open() { (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null; }
port_free() { ! port_open "$1" || die "port $1 is taken; choose another with $2 (0 takes a free one)"; }
http_ok() { curl -fsS -o /dev/null --max-time 2 "$1"; }

# need COMMAND PACKAGE: a command that is missing comes with its Debian package.
need() { command -v "$1" >/dev/null || apt_get "$2"; }

# apt_get PACKAGE...: where we are root; elsewhere the message says what to install.
apt_get() {
  if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then die "install what Debian calls $*, and try again"; fi
  say "apt: $*"
  local fresh
  fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mmin -1440 2>/dev/null | head -1)
  [[ -n $fresh ]] || apt-get -qq -o DPkg::Lock::Timeout=300 update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >&2
}

# go_install BINARY PACKAGE@VERSION [FLAG...]: builds into $CACHE/bin, once for each version.
GO_VERSION=1.26.8
go_install() {
  local name=$1 package=$2 stamp="$CACHE/bin/$1.version" build="$CACHE/bin/.$1.build"
  [[ -x $CACHE/bin/$name && -f $stamp && $(<"$stamp") == "$package" ]] && return
  need go golang-go
  use_recent_go
  say "building $package (minutes on two cores; once)"
  rm -rf "$build"
  mkdir -p "$build"
  GOBIN="$build" go install -trimpath -ldflags='-s -w' "$package" >&2
  mv "$build"/* "$CACHE/bin/$name" # the folder in the package's path names the binary, and it is not always a good name
  rmdir "$build"
  echo "$package" >"$stamp"
}

# A Go before 1.21 cannot switch to the version that a module asks for, but it can fetch it as a module, checked against Go's checksum database.
use_recent_go() {
  local version folder
  version=$(go env GOVERSION)
  [[ $version =~ ^go1\.([0-9]+) && ${BASH_REMATCH[1]} -lt 21 ]] || return 0
  version="v0.0.1-go$GO_VERSION.$(go env GOOS)-$(go env GOARCH)"
  say "fetching Go $GO_VERSION: $(go version) is too old"
  (cd "$CACHE" && GOFLAGS=-mod=mod go mod download "golang.org/toolchain@$version" >&2)
  folder="$(go env GOMODCACHE)/golang.org/toolchain@$version"
  chmod -R u+w "$folder"
  chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
  export PATH="$folder/bin:$PATH" GOTOOLCHAIN=local
}

# python_install PACKAGE==VERSION [PACKAGE...]: a virtual environment in $CACHE/PACKAGE-VERSION, made whole or not at all.
python_install() {
  local folder="$CACHE/${1/==/-}" python=${FLTS_COMPONENTS_PYTHON:-python3}
  [[ -e $folder/.complete ]] && return
  need "$python" python3
  "$python" -c 'import ensurepip' 2>/dev/null || apt_get python3-venv
  say "installing $*"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  "$folder/bin/pip" install -q --disable-pip-version-check "$@" >&2
  touch "$folder/.complete"
}

# Two runs that share the cache must not install into it at once. The lock is held by a subshell, lest a server inherits it.
install_once() {
  (
    flock 9
    need curl curl
    install "$@"
  ) 9>"$CACHE/$COMPONENT.lock"
}

# dispatch "$@": the script defines install, up, endpoints and down, and may define more of COMMANDS.
dispatch() {
  local command=${1:-help}
  case $command in
    install) shift; install_once "$@" ;;
    up | down) "$@" ;;
    env) running || die "is not running"; endpoints ;;
    status) if running; then say running; else say stopped; return 1; fi ;;
    logs) cat "$(log_file)" ;;
    *) [[ " ${COMMANDS:-} " == *" $command "* ]] && { "$@"; return; }
       die "usage: $(basename "$0") install|up|down|env|status|logs${COMMANDS:+|${COMMANDS// /|}}" ;;
  esac
}
