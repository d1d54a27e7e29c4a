#!/usr/bin/env bash
# Locust, one master and some workers, against a server on loopback.
#
#   locust.sh run FILE ARGS...  headless, in the foreground; exits with Locust's verdict (1: a failed request or assertion).
#                               e.g. locust.sh run swarm.py --host "$URL" --users 50 --spawn-rate 50 --run-time 30s \
#                                      --csv out/swarm --html out/swarm.html --json-file out/swarm.json
#   locust.sh up FILE ARGS...   the same swarm with its web page, in the background; prints LOCUST_URL
#   locust.sh down
#   locust.sh python ARGS...    Python with Locust and what it brings, for the swarm's own tests
#
#   FLTS_LOCUST_WORKERS 4 · FLTS_LOCUST_PORT 5557 · FLTS_LOCUST_WEB_PORT 8089 (0 picks free ones)
COMPONENT=locust
COMMANDS="run python"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The image's versions.
LOCK="$(dirname "${BASH_SOURCE[0]}")/../../locust/requirements.txt"
VERSION=$(sed -n 's/^locust==\([^ ]*\).*/\1/p' "$LOCK")
WORKERS="${FLTS_LOCUST_WORKERS:-4}"
PORT=$(port master "${FLTS_LOCUST_PORT:-5557}")
WEB_PORT=$(port web "${FLTS_LOCUST_WEB_PORT:-8089}")
VENV="$CACHE/locust-$VERSION"

install() { python_install "locust==$VERSION" -c <(sed -n 's/^\([^ ]*==[^ ]*\) .*/\1/p' "$LOCK"); }

start_workers() { # start_workers FILE
  local i
  for ((i = 1; i <= WORKERS; i++)); do
    : >"$(log_file "locust-worker-$i")"
    start "locust-worker-$i" "$VENV/bin/locust" -f "$1" --worker --master-host "$HOST" --master-port "$PORT" --skip-log-setup
  done
}

stop_workers() {
  local file
  for file in "$RUN"/locust-worker-*.pid; do
    [[ -e $file ]] && stop "$(basename "$file" .pid)" TERM 5
  done
  return 0
}

master() { # master FILE ARGS...
  local file=$1
  shift
  "$VENV/bin/locust" -f "$file" --master --master-bind-host "$HOST" --master-bind-port "$PORT" --expect-workers "$WORKERS" "$@"
}

run() {
  install_once
  port_free "$PORT" FLTS_LOCUST_PORT
  trap stop_workers EXIT
  start_workers "$1"
  master "$@" --headless --expect-workers-max-wait "$READY_SECONDS"
}

python() {
  install_once
  "$VENV/bin/python" "$@"
}

ready() { http_ok "http://$HOST:$WEB_PORT/" && [[ $(grep -c 'reported as ready' "$(log_file)") -ge $WORKERS ]]; }

up() {
  install_once
  if ! running; then
    port_free "$PORT" FLTS_LOCUST_PORT
    port_free "$WEB_PORT" FLTS_LOCUST_WEB_PORT
    : >"$(log_file)"
    export -f master
    export VENV HOST PORT WORKERS
    start locust bash -c 'master "$@"' master "$@" --web-host "$HOST" --web-port "$WEB_PORT"
    start_workers "$1"
    wait_ready locust ready
  fi
  endpoints
}

endpoints() { endpoint LOCUST_URL "http://$HOST:$WEB_PORT"; }

down() {
  stop_workers
  stop locust TERM 10
  forget_ports
}

dispatch "$@"
