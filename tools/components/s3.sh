#!/usr/bin/env bash
# An S3 server on loopback: MinIO as deployed, or another one, to see that nothing depends on which.
#
#   s3.sh up      install if needed, start, wait; prints S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION
#   s3.sh down    stop by pid; removes the data unless FLTS_KEEP_DATA=1
#   s3.sh crash   kill -9 the server and keep the data
#
#   FLTS_S3_BACKEND minio (what FLTS deploys) or versitygw (plain files on disk). Both are built with Go: minutes once, then cached.
#   FLTS_S3_PORT 9000 (0 picks a free one) · FLTS_S3_ACCESS_KEY minioadmin · FLTS_S3_SECRET_KEY minioadmin
COMPONENT=s3
COMMANDS="crash"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BACKEND="${FLTS_S3_BACKEND:-minio}"
PORT=$(port api "${FLTS_S3_PORT:-9000}")
ACCESS_KEY="${FLTS_S3_ACCESS_KEY:-minioadmin}"
SECRET_KEY="${FLTS_S3_SECRET_KEY:-minioadmin}"
DATA="$RUN/s3-$BACKEND"

# MinIO's releases carry no semantic version: the module is pinned by commit.
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
VERSITYGW_VERSION=v1.8.0

install() {
  case $BACKEND in
    minio) go_install minio "github.com/minio/minio@$MINIO_VERSION" ;;
    versitygw) go_install versitygw "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW_VERSION" ;;
    *) die "FLTS_S3_BACKEND is minio or versitygw, not $BACKEND" ;;
  esac
}

start_minio() {
  HEALTH=/minio/health/ready
  MINIO_ROOT_USER="$ACCESS_KEY" MINIO_ROOT_PASSWORD="$SECRET_KEY" MINIO_BROWSER=off MINIO_UPDATE=off \
    start s3 "$CACHE/bin/minio" server --quiet --address "$HOST:$PORT" "$DATA/objects"
}

start_versitygw() {
  HEALTH=/health
  mkdir -p "$DATA/versions"
  ROOT_ACCESS_KEY="$ACCESS_KEY" ROOT_SECRET_KEY="$SECRET_KEY" start s3 "$CACHE/bin/versitygw" --port "$HOST:$PORT" --health /health --quiet \
    posix --versioning-dir "$DATA/versions" "$DATA/objects"
}

ready() { http_ok "http://$HOST:$PORT$HEALTH"; }

up() {
  install_once
  if ! running s3; then
    port_free "$PORT" FLTS_S3_PORT
    mkdir -p "$DATA/objects"
    : >"$(log_file)"
    "start_$BACKEND"
    wait_ready s3 ready
  fi
  endpoints
}

endpoints() {
  endpoint S3_ENDPOINT "http://$HOST:$PORT"
  endpoint AWS_ACCESS_KEY_ID "$ACCESS_KEY"
  endpoint AWS_SECRET_ACCESS_KEY "$SECRET_KEY"
  endpoint AWS_REGION us-east-1
}

down() {
  stop s3 TERM 5
  [[ ${FLTS_KEEP_DATA:-0} == 1 ]] || { rm -rf "$RUN"/s3-*/; forget_ports; }
}

crash() { stop s3 KILL; }

dispatch "$@"
