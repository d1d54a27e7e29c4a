#!/usr/bin/env bash
# The servers that FLTS stands on, without containers: kafka, s3, postgres and mlflow (default: all four), prometheus, locust.
#
#   components.sh up [NAME...]       installs and starts them; prints `export KEY=value` lines
#   components.sh down [NAME...]     stops them in reverse order, and removes their data unless FLTS_KEEP_DATA=1
#   components.sh env [NAME...]      prints the lines again
#   components.sh status [NAME...]   says which run; exit code 1 unless all do
#   components.sh install [NAME...]  fetches and builds what `up` would
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# each COMMAND NAME...: mlflow prints what it stands on as well, which may have been printed already.
each() {
  local command=$1 name
  shift
  for name in "$@"; do "$HERE/$name.sh" "$command"; done | awk '!seen[$0]++'
}

status() {
  local name code=0
  for name in "$@"; do "$HERE/$name.sh" status || code=1; done
  return "$code"
}

reversed() { printf '%s\n' "$@" | tac; }

command=${1:-}
shift || usage
names=("$@")
[[ ${#names[@]} -gt 0 ]] || names=(kafka s3 postgres mlflow)
for name in "${names[@]}"; do
  [[ " kafka s3 postgres mlflow prometheus locust " == *" $name "* ]] || usage
done

case $command in
  install | up | env) each "$command" "${names[@]}" ;;
  down) mapfile -t names < <(reversed "${names[@]}") && each down "${names[@]}" ;;
  status) status "${names[@]}" ;;
  *) usage ;;
esac
