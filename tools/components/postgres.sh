#!/usr/bin/env bash
# PostgreSQL on loopback with one user and one database.
#
#   postgres.sh up     install if needed, initdb, start, create the database; prints POSTGRES_URI
#   postgres.sh down   fast shutdown; removes the data unless FLTS_KEEP_DATA=1
#   postgres.sh crash  kill -9 and keep the data
#
#   FLTS_POSTGRES_PORT 5433 (5432 may belong to the system's own; 0 picks a free one)
#   FLTS_POSTGRES_USER mlflow · FLTS_POSTGRES_PASSWORD mlflow · FLTS_POSTGRES_DB mlflow
#   FLTS_POSTGRES_DURABLE 0 (1 turns fsync on: only a crash of the machine, not of the process, tells them apart)
COMPONENT=postgres
COMMANDS="crash"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=$(port server "${FLTS_POSTGRES_PORT:-5433}")
DB_USER="${FLTS_POSTGRES_USER:-mlflow}"
PASSWORD="${FLTS_POSTGRES_PASSWORD:-mlflow}"
DB="${FLTS_POSTGRES_DB:-mlflow}"

# PostgreSQL refuses to run as root, and its own user cannot look into root's home: then the data goes to /var/tmp.
if [[ $(id -u) -eq 0 ]]; then
  DATA="/var/tmp/flts-postgres-$(printf %s "$RUN" | cksum | cut -d' ' -f1)"
  AS=(setpriv --reuid=postgres --regid=postgres --init-groups)
else
  DATA="$RUN/postgres"
  AS=()
fi

bin_dir() { find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1; }

install() {
  [[ -n $(bin_dir) ]] && return
  apt_get postgresql-common
  sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  apt_get postgresql
}

psql_as_user() { PGPASSWORD="$PASSWORD" "$(bin_dir)/psql" -h "$HOST" -p "$PORT" -U "$DB_USER" -XAtq "$@"; }
ready() { psql_as_user -d postgres -c 'select 1'; }

init_data() {
  mkdir -p "$DATA"
  local secret="$DATA.secret"
  (umask 077 && printf '%s\n' "$PASSWORD" >"$secret")
  [[ $(id -u) -ne 0 ]] || chown postgres:postgres "$DATA" "$secret"
  (cd / && "${AS[@]}" "$(bin_dir)/initdb" -D "$DATA" -U "$DB_USER" --pwfile="$secret" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --no-sync) >>"$(log_file)" 2>&1 || die "initdb failed; see $(log_file)"
  rm -f "$secret"
}

up() {
  install_once
  if ! running; then
    port_free "$PORT" FLTS_POSTGRES_PORT
    : >"$(log_file)"
    [[ -e $DATA/PG_VERSION ]] || init_data
    local options=(-c listen_addresses="$HOST" -c port="$PORT" -c unix_socket_directories= -c max_connections=50)
    [[ ${FLTS_POSTGRES_DURABLE:-0} == 1 ]] || options+=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
    cd /
    start postgres "${AS[@]}" "$(bin_dir)/postgres" -D "$DATA" "${options[@]}"
    wait_ready postgres ready
    [[ -n $(psql_as_user -d postgres -c "select 1 from pg_database where datname='$DB'") ]] ||
      psql_as_user -d postgres -c "create database \"$DB\""
  fi
  endpoints
}

endpoints() { endpoint POSTGRES_URI "postgresql://$DB_USER:$PASSWORD@$HOST:$PORT/$DB"; }

down() {
  stop postgres INT 20
  [[ ${FLTS_KEEP_DATA:-0} == 1 ]] || { rm -rf "$DATA"; forget_ports; }
}

crash() { stop postgres KILL; sleep 0.5; } # its backends see the death of their parent and leave

dispatch "$@"
