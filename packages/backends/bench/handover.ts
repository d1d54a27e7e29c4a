/**
 * How fast the embedded backends hand work over: publish → handler across two processes, beside what the disk needs for one durable
 * append; puts into the folder store; and what waiting costs. Prints one JSON line per figure. Run it with `node --conditions=source packages/backends/bench/handover.ts`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { loadConfig } from "@flts/common/service/config";
import { backendSettings, connectBackends } from "../src/connect.ts";

const messages = 1000;
const puts = 500;
const idleMs = 3000;
const topic = "handover";

const home = process.env["FLTS_HOME"] ?? "";
await (home === "" ? publishAndPut() : handle());

async function publishAndPut(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "flts-handover-"));
  const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: folder }));
  await backends.log.ensureTopics([{ name: topic, partitions: 1 }]);
  const handler = fork(new URL(import.meta.url), [], {
    env: { ...process.env, FLTS_HOME: folder },
    execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
  });
  handler.once("exit", (code) => {
    if (code !== 0) process.exit(1);
  });
  await once(handler, "message");
  for (let message = 0; message < messages; message += 1) {
    // The monotonic clock of the machine, which both processes read.
    const value = Buffer.from(String(process.hrtime.bigint()));
    await backends.log.publish([{ topic, key: null, value }]);
    await wait(2);
  }
  const [{ latenciesMs, idleCpuPercent }] = await once(handler, "message");
  print({ figure: "embedded_handover_ms", messages, ...quantiles(latenciesMs) });
  print({ figure: "disk_append_and_sync_ms", times: messages, ...quantiles(await syncs(folder)) });
  print({ figure: "embedded_idle_consumer", cpu_percent: idleCpuPercent });

  await backends.store.ensureBucket("bench");
  const body = Buffer.alloc(4096, "x");
  const startMs = performance.now();
  for (let put = 0; put < puts; put += 1)
    await backends.store.put({ bucket: "bench", key: `objects/${put}` }, body);
  const seconds = (performance.now() - startMs) / 1000;
  print({ figure: "folder_store_puts", bytes: body.length, puts_per_second: Math.round(puts / seconds) });
  await backends.close();
  await rm(folder, { recursive: true });
}

async function handle(): Promise<void> {
  const { log, close } = await connectBackends(loadConfig(backendSettings, process.env));
  const latenciesMs: number[] = [];
  const all = Promise.withResolvers<void>();
  await log.consume({
    group: "bench",
    topics: [topic],
    from: "earliest",
    onDelivery: async (delivery) => {
      latenciesMs.push(
        Number(process.hrtime.bigint() - BigInt(Buffer.from(delivery.value).toString())) / 1e6,
      );
      await delivery.commit();
      if (latenciesMs.length === messages) all.resolve();
    },
    onCrash: (error) => all.reject(error),
  });
  process.send?.("joined");
  await all.promise;
  const before = process.cpuUsage();
  await wait(idleMs);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ latenciesMs, idleCpuPercent: round(((user + system) / 1000 / idleMs) * 100) });
  await close();
  process.disconnect();
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
