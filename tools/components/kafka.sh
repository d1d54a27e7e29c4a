#!/usr/bin/env bash
# Apache Kafka, one KRaft node (broker and controller in one JVM), from Maven Central's jars.
#
#   kafka.sh up        install if needed, format if needed, start, wait; prints KAFKA_BOOTSTRAP_SERVERS
#   kafka.sh down      stop by pid (clean shutdown); removes the data unless FLTS_KEEP_DATA=1
#   kafka.sh crash     kill -9 the broker and keep the data (the next up recovers it)
#
#   FLTS_KAFKA_VERSION 4.4.0 · FLTS_KAFKA_PORT 9092 · FLTS_KAFKA_CONTROLLER_PORT 9093
#   FLTS_KAFKA_OPTS -XX:TieredStopAtLevel=1 (a quick start; set it to -XX:+UseG1GC or so for throughput) · FLTS_KAFKA_HEAP 256m
#   FLTS_KAFKA_AUTO_CREATE false · FLTS_KAFKA_PARTITIONS 1 (default for new topics)
COMPONENT=kafka
COMMANDS="crash"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION="${FLTS_KAFKA_VERSION:-4.4.0}"
PORT=$(port broker "${FLTS_KAFKA_PORT:-9092}")
CONTROLLER_PORT=$(port controller "${FLTS_KAFKA_CONTROLLER_PORT:-9093}")
HEAP="${FLTS_KAFKA_HEAP:-256m}"
read -ra JVM_OPTIONS <<<"${FLTS_KAFKA_OPTS:--XX:TieredStopAtLevel=1}"
LIBS="$CACHE/kafka-$VERSION/libs"
HOME_DIR="$RUN/kafka"

install() {
  [[ -e $LIBS/.complete ]] && return
  need mvn maven # its package brings a Java
  say "fetching Kafka $VERSION"
  mkdir -p "$LIBS"
  sed "s/@KAFKA_VERSION@/$VERSION/" "$(dirname "${BASH_SOURCE[0]}")/kafka-pom.xml" >"$CACHE/kafka-$VERSION/pom.xml"
  mvn -q -B -f "$CACHE/kafka-$VERSION/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$LIBS" >&2
  touch "$LIBS/.complete"
}

java_run() { # java_run JVM_OPTION... CLASS ARGS...
  java -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile="$HOME_DIR/log4j2.properties" -cp "$LIBS/*" "$@"
}

cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c1-22; } # any 22 base64 characters

write_config() {
  mkdir -p "$HOME_DIR"
  cat >"$HOME_DIR/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$HOST:$CONTROLLER_PORT
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$HOST:$PORT,CONTROLLER://$HOST:$CONTROLLER_PORT
advertised.listeners=PLAINTEXT://$HOST:$PORT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$HOME_DIR/data
num.partitions=${FLTS_KAFKA_PARTITIONS:-1}
auto.create.topics.enable=${FLTS_KAFKA_AUTO_CREATE:-false}
# One node: every internal topic has one replica, and few partitions so that a start is quick.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# Tests join groups all the time and must not wait three seconds for each.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# After kill -9 a node cannot register again before its old session ends (9 s by default).
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# The log cleaner takes 128 MB of heap by default.
log.cleaner.dedupe.buffer.size=8388608
log.retention.hours=24
log.segment.bytes=67108864
CONF
  cat >"$HOME_DIR/log4j2.properties" <<'CONF'
status=warn
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.ready.name=kafka.server.KafkaRaftServer
logger.ready.level=info
CONF
}

ready() { [[ $(tail -c 4000 "$(log_file)") == *"Kafka Server started"* ]] && port_open "$PORT"; }

up() {
  install_once
  if ! running; then
    port_free "$PORT" FLTS_KAFKA_PORT
    port_free "$CONTROLLER_PORT" FLTS_KAFKA_CONTROLLER_PORT
    write_config
    : >"$(log_file)"
    if [[ ! -e $HOME_DIR/data/meta.properties ]]; then
      java_run kafka.tools.StorageTool format --cluster-id "$(cluster_id)" \
        --config "$HOME_DIR/server.properties" >>"$(log_file)" 2>&1 || die "format failed; see $(log_file)"
    fi
    start kafka java -Xms64m "-Xmx$HEAP" -XX:+ExitOnOutOfMemoryError "${JVM_OPTIONS[@]}" \
      -Dlog4j2.configurationFile="$HOME_DIR/log4j2.properties" -cp "$LIBS/*" kafka.Kafka "$HOME_DIR/server.properties"
    wait_ready kafka ready
  fi
  endpoints
}

endpoints() { endpoint KAFKA_BOOTSTRAP_SERVERS "$HOST:$PORT"; }

down() {
  stop kafka TERM 30
  [[ ${FLTS_KEEP_DATA:-0} == 1 ]] || { rm -rf "$HOME_DIR"; forget_ports; }
}

crash() { stop kafka KILL; }

dispatch "$@"
