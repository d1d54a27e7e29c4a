/**
 * How fast the message log hands work over: publish → handler across two processes, one message at a time, and claims per second when many
 * wait. On Kafka where KAFKA_BOOTSTRAP_SERVERS is set; else on the embedded log, beside what the disk needs for one durable append, with puts into
 * the folder store, and what waiting costs. Prints one JSON line per figure. Run it with `pnpm bench:handover`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { loadConfig } from "@flts/common/service/config";
import { type Backends, backendSecrets, backendSettings, connectBackends } from "../src/connect.ts";

const messages = 1000;
const puts = 500;
const idleMs = 3000;
/** The time of publishing for the monotonic clock of the machine, which both processes read. */
const stamp = (): Buffer => Buffer.from(String(process.hrtime.bigint()));
const ageMs = (value: Uint8Array): number =>
  Number(process.hrtime.bigint() - BigInt(Buffer.from(value).toString())) / 1e6;

/** What the handling process reports. */
interface Handled {
  readonly latenciesMs: readonly number[];
  readonly claimsPerSecond: number;
  readonly idleCpuPercent: number;
}

const connect = (environment: Readonly<Record<string, string | undefined>>): Promise<Backends> =>
  connectBackends(loadConfig(backendSettings, environment, backendSecrets));

const [topic] = process.argv.slice(2);
await (topic === undefined ? bench(`handover-${Date.now()}`) : handle(topic));

async function bench(newTopic: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "flts-handover-"));
  const onKafka = (process.env["KAFKA_BOOTSTRAP_SERVERS"] ?? "") !== "";
  const environment = { ...process.env, FLTS_HOME: folder, S3_ENDPOINT: "", MLFLOW_TRACKING_URI: "" };
  const backends = await connect(environment);
  const log = onKafka ? "kafka" : "embedded";
  const { latenciesMs, claimsPerSecond, idleCpuPercent } = await handOver(backends, environment, newTopic);
  print({ figure: `${log}_handover_ms`, messages, ...quantiles(latenciesMs) });
  print({ figure: `${log}_claims_per_second`, messages, value: Math.round(claimsPerSecond) });
  print({ figure: `${log}_idle_consumer`, cpu_percent: idleCpuPercent });
  if (!onKafka) {
    print({ figure: "disk_append_and_sync_ms", times: messages, ...quantiles(await syncs(folder)) });
    print({ figure: "folder_store_puts", bytes: 4096, puts_per_second: await putsPerSecond(backends) });
  }
  await backends.close();
  await rm(folder, { recursive: true });
}

/** Publishes the messages one by one, and then all at once, to a handler in another process. */
async function handOver({ log }: Backends, env: NodeJS.ProcessEnv, newTopic: string): Promise<Handled> {
  await log.ensureTopics([{ name: newTopic, partitions: 1 }]);
  const handler = fork(new URL(import.meta.url), [newTopic], {
    env,
    execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
  });
  handler.once("exit", (code) => {
    if (code !== 0) process.exit(1);
  });
  await once(handler, "message");
  for (let message = 0; message < messages; message += 1) {
    await log.publish([{ topic: newTopic, key: null, value: stamp() }]);
    await wait(2);
  }
  await once(handler, "message");
  await log.publish(Array.from({ length: messages }, () => ({ topic: newTopic, key: null, value: stamp() })));
  const [handled] = (await once(handler, "message")) as [Handled];
  return handled;
}

async function handle(ofTopic: string): Promise<void> {
  const { log, close } = await connect(process.env);
  const latenciesMs: number[] = [];
  let begunMs = 0;
  const apart = Promise.withResolvers<void>();
  const atOnce = Promise.withResolvers<void>();
  await log.consume({
    group: `${ofTopic}-handlers`,
    topics: [ofTopic],
    from: "earliest",
    onDelivery: async (delivery) => {
      latenciesMs.push(ageMs(delivery.value));
      if (latenciesMs.length === messages + 1) begunMs = performance.now();
      await delivery.commit();
      if (latenciesMs.length === messages) apart.resolve();
      if (latenciesMs.length === 2 * messages) atOnce.resolve();
    },
    onCrash: (error) => apart.reject(error),
  });
  process.send?.("joined");
  await apart.promise;
  process.send?.("apart");
  await atOnce.promise;
  const claimsPerSecond = (messages / (performance.now() - begunMs)) * 1000;
  const before = process.cpuUsage();
  await wait(idleMs);
  const { user, system } = process.cpuUsage(before);
  const idleCpuPercent = round(((user + system) / 1000 / idleMs) * 100);
  const handled: Handled = { latenciesMs: latenciesMs.slice(0, messages), claimsPerSecond, idleCpuPercent };
  process.send?.(handled);
  await close();
  process.disconnect();
}

async function putsPerSecond({ store }: Backends): Promise<number> {
  await store.ensureBucket("bench");
  const body = Buffer.alloc(4096, "x");
  const startMs = performance.now();
  for (let put = 0; put < puts; put += 1) await store.put({ bucket: "bench", key: `objects/${put}` }, body);
  return Math.round((puts / (performance.now() - startMs)) * 1000);
}

/** Milliseconds of durable appends as long as a message: no log can be faster than its disk. */
async function syncs(folder: string): Promise<readonly number[]> {
  const file = await open(join(folder, "appended"), "a");
  const durationsMs: number[] = [];
  for (let append = 0; append < messages; append += 1) {
    const startMs = performance.now();
    await file.appendFile(Buffer.alloc(300));
    await file.sync();
    durationsMs.push(performance.now() - startMs);
    await wait(2);
  }
  await file.close();
  return durationsMs;
}

function quantiles(values: readonly number[]): Readonly<Record<"p50" | "p99" | "max", number>> {
  const sorted = Float64Array.from(values).toSorted();
  const at = (q: number): number => round(sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function print(figure: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(figure));
}
