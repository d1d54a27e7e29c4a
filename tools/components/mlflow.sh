#!/usr/bin/env bash
# MLflow tracking server: PostgreSQL behind it, artifacts proxied to the S3 server. Starts both if they are down.
#
#   mlflow.sh up     prints MLFLOW_TRACKING_URI and what s3.sh and postgres.sh print
#   mlflow.sh down   stops MLflow only
#   mlflow.sh crash  kill -9
#
#   FLTS_MLFLOW_PORT 5000 (0 picks a free one) · FLTS_MLFLOW_WORKERS 1
#   FLTS_MLFLOW_BUCKET mlflow · FLTS_MLFLOW_ALLOWED_HOSTS (Host headers let in; default: loopback and the name mlflow)
COMPONENT=mlflow
COMMANDS="crash"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REQUIREMENTS="$HERE/../../docker/mlflow/requirements.txt" # those of the image
VERSION=$(sed -n 's/^mlflow==//p' "$REQUIREMENTS")
PORT=$(port server "${FLTS_MLFLOW_PORT:-5000}")
BUCKET="${FLTS_MLFLOW_BUCKET:-mlflow}"
VENV="$CACHE/mlflow-$VERSION"

install() {
  "$HERE/s3.sh" install
  "$HERE/postgres.sh" install
  python_install "mlflow==$VERSION" -r "$REQUIREMENTS"
}

create_bucket() {
  "$VENV/bin/python" - "$S3_ENDPOINT" "$BUCKET" <<'PY'
import sys, boto3
from botocore.config import Config
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
try:
    s3.create_bucket(Bucket=sys.argv[2])
except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
    pass
PY
}

ready() { http_ok "http://$HOST:$PORT/health"; }

up() {
  install_once
  local below
  below=$("$HERE/s3.sh" up && "$HERE/postgres.sh" up)
  eval "$below"
  if ! running; then
    port_free "$PORT" FLTS_MLFLOW_PORT
    : >"$(log_file)"
    create_bucket
    # Without --allowed-hosts MLflow answers 403 to any Host but loopback and private addresses: "mlflow:5000" in a cluster.
    local hosts="${FLTS_MLFLOW_ALLOWED_HOSTS:-localhost:$PORT,$HOST:$PORT,mlflow,mlflow:$PORT}"
    # SQLAlchemy 2.1 takes plain postgresql:// for psycopg 3, which is not installed: the driver is named below.
    cd "$RUN"
    MLFLOW_S3_ENDPOINT_URL="$S3_ENDPOINT" MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
      MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true PATH="$VENV/bin:$PATH" \
      start mlflow "$VENV/bin/mlflow" server --host "$HOST" --port "$PORT" --workers "${FLTS_MLFLOW_WORKERS:-1}" \
      --backend-store-uri "${POSTGRES_URI/#postgresql:/postgresql+psycopg2:}" --artifacts-destination "s3://$BUCKET" --allowed-hosts "$hosts"
    wait_ready mlflow ready
  fi
  endpoints
  printf '%s\n' "$below"
}

endpoints() { endpoint MLFLOW_TRACKING_URI "http://$HOST:$PORT"; }

down() { stop mlflow TERM 10; forget_ports; }
crash() { stop mlflow KILL; }

dispatch "$@"
