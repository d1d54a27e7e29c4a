import type { MessageLog } from "@flts/common/ports/message-log";
import { loadConfig, setting } from "@flts/common/service/config";
import { kafkaConnection, kafkaSettings } from "../../src/kafka/connection.ts";
import { createKafkaLog } from "../../src/kafka/kafka-log.ts";
import { createSystemClock } from "../../src/system-clock.ts";

/** Variables over those of the environment. */
export type Settings = Readonly<Record<string, string>>;

/** Opens a log on the brokers of KAFKA_BOOTSTRAP_SERVERS, in any process. */
export const open = (settings: Settings = {}): Promise<MessageLog> => {
  const shape = { KAFKA_BOOTSTRAP_SERVERS: setting.text(""), ...kafkaSettings };
  const connection = kafkaConnection(loadConfig(shape, { ...process.env, ...settings }));
  return Promise.resolve(createKafkaLog(connection, createSystemClock()));
};
