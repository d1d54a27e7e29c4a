import { messageLogContract } from "@flts/testing/contract/message-log";
import { open, type Settings } from "./open-kafka-log.ts";

const leaseMs = 6000;

messageLogContract(
  "Kafka",
  async () => {
    const settings: Settings = { KAFKA_SESSION_TIMEOUT_MS: String(leaseMs) };
    const log = await open(settings);
    await log.ping();
    const module = new URL("./open-kafka-log.ts", import.meta.url).href;
    return { log, opener: { module, settings }, close: () => log.close() };
  },
  { sharedByProcesses: true, leaseMs, patienceMs: 30_000 },
);
