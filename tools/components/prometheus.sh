#!/usr/bin/env bash
# Prometheus and Alertmanager on loopback, from Debian's packages; promtool and amtool come with them.
#
#   prometheus.sh up            prints PROMETHEUS_URL and ALERTMANAGER_URL
#   prometheus.sh down          stops both; removes the data unless FLTS_KEEP_DATA=1
#   prometheus.sh reload        after a change of rules or targets
#   prometheus.sh test FILE...  promtool test rules (unit tests of alert rules; starts nothing)
#   prometheus.sh check FILE... promtool check rules
#
#   FLTS_PROMETHEUS_PORT 9090 · FLTS_ALERTMANAGER_PORT 9094 (9093 is Kafka's controller here; 0 picks free ones)
#   FLTS_PROMETHEUS_TARGETS  "job=host:port[,host:port] job=…"  · FLTS_PROMETHEUS_RULES  glob of rule files
#   FLTS_PROMETHEUS_INTERVAL 1s · FLTS_ALERT_WEBHOOK  URL that receives every alert
COMPONENT=prometheus
COMMANDS="reload test check"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=$(port server "${FLTS_PROMETHEUS_PORT:-9090}")
ALERTS_PORT=$(port alerts "${FLTS_ALERTMANAGER_PORT:-9094}")
DATA="$RUN/prometheus"

install() {
  command -v prometheus prometheus-alertmanager promtool >/dev/null && return
  apt_get prometheus prometheus-alertmanager
  systemctl disable --now prometheus prometheus-alertmanager >/dev/null 2>&1 || true # ours run by hand
}

write_config() {
  mkdir -p "$DATA"
  local receiver="  - name: tests"
  [[ -z ${FLTS_ALERT_WEBHOOK:-} ]] ||
    receiver+=$'\n    webhook_configs:\n      - { url: "'"$FLTS_ALERT_WEBHOOK"'", send_resolved: true }'
  cat >"$DATA/alertmanager.yml" <<CONF
route: { receiver: tests, group_wait: 1s, group_interval: 5s, repeat_interval: 1h }
receivers:
$receiver
CONF
  {
    cat <<CONF
global: { scrape_interval: ${FLTS_PROMETHEUS_INTERVAL:-1s}, evaluation_interval: ${FLTS_PROMETHEUS_INTERVAL:-1s} }
alerting: { alertmanagers: [{ static_configs: [{ targets: ["$HOST:$ALERTS_PORT"] }] }] }
rule_files: [${FLTS_PROMETHEUS_RULES:+"\"$FLTS_PROMETHEUS_RULES\""}]
scrape_configs:
  - { job_name: prometheus, static_configs: [{ targets: ["$HOST:$PORT"] }] }
CONF
    local target
    for target in ${FLTS_PROMETHEUS_TARGETS:-}; do
      printf '  - { job_name: "%s", static_configs: [{ targets: [%s] }] }\n' "${target%%=*}" "${target#*=}"
    done
  } >"$DATA/prometheus.yml"
}

prometheus_ready() { http_ok "http://$HOST:$PORT/-/ready"; }
alertmanager_ready() { http_ok "http://$HOST:$ALERTS_PORT/-/ready"; }

up() {
  install_once
  write_config
  promtool check config "$DATA/prometheus.yml" >&2
  if ! running alertmanager; then
    port_free "$ALERTS_PORT" FLTS_ALERTMANAGER_PORT
    : >"$(log_file alertmanager)"
    start alertmanager prometheus-alertmanager --config.file="$DATA/alertmanager.yml" --storage.path="$DATA/alertmanager" \
      --web.listen-address="$HOST:$ALERTS_PORT" --cluster.listen-address= --log.level=warn
    wait_ready alertmanager alertmanager_ready
  fi
  if running; then
    reload
  else
    port_free "$PORT" FLTS_PROMETHEUS_PORT
    : >"$(log_file)"
    start prometheus prometheus --config.file="$DATA/prometheus.yml" --storage.tsdb.path="$DATA/tsdb" \
      --web.listen-address="$HOST:$PORT" --web.enable-lifecycle --log.level=warn
    wait_ready prometheus prometheus_ready
  fi
  endpoints
}

endpoints() {
  endpoint PROMETHEUS_URL "http://$HOST:$PORT"
  endpoint ALERTMANAGER_URL "http://$HOST:$ALERTS_PORT"
}

reload() { curl -fsS -X POST "http://$HOST:$PORT/-/reload" >&2; }
test() { install_once; promtool test rules "$@"; }
check() { install_once; promtool check rules "$@"; }

down() {
  stop prometheus TERM 20
  stop alertmanager TERM 10
  [[ ${FLTS_KEEP_DATA:-0} == 1 ]] || { rm -rf "$DATA"; forget_ports; }
}

dispatch "$@"
