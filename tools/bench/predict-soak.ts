import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runOpenLoop } from "@flts/testing/load/open-loop";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { openHome, promote, storeRun, trainLstm } from "./predict/home.ts";
import { startReplica } from "./predict/replica.ts";
import { print } from "./predict/report.ts";
import { benchStation, predictRequests } from "./predict/station.ts";

/**
 * `pnpm soak --minutes 30 --rate 500`: a replica under steady load with a swap every ten seconds. Prints memory and latency of each period, and at the end how both
 * change with time: the slopes of lines through all periods but the first tenth, in which a process grows to its size.
 */
const PERIOD_MS = 10_000;
const PERIODS_PER_HOUR = 3_600_000 / PERIOD_MS;
const SETTLING_SHARE = 0.1;

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, rate: { type: "string", default: "500" } },
});
const periods = Math.max(2, Math.round((Number(values.minutes) * 60_000) / PERIOD_MS));

const folder = mkdtempSync(join(tmpdir(), "flts-soak-"));
const station = benchStation();
const home = await openHome(folder);
const runs = [
  await storeRun(home, await trainLstm(station, "a")),
  await storeRun(home, await trainLstm(station, "b")),
];
await promote(home, runs[0]!, 1);
const replica = await startReplica(folder, "soak");
const requests = predictRequests(station, 500);
const random = createSeededRandom(1).next;
const memory: number[] = [];
const latency: number[] = [];
let failures = 0;

for (let period = 0; period < periods; period++) {
  const load = runOpenLoop({
    host: replica.host,
    port: replica.port,
    requests,
    rate: Number(values.rate),
    durationMs: PERIOD_MS,
    random,
  });
  await promote(home, runs[(period + 1) % runs.length]!, period + 2);
  const { answered, p50Ms, p99Ms, failures: failed, refused } = await load;
  failures += failed + refused;
  memory.push(replica.residentMiB());
  latency.push(p99Ms);
  print("soak.period", {
    period,
    residentMiB: Math.round(memory.at(-1)!),
    answered,
    p50Ms,
    p99Ms,
    failed,
    refused,
  });
}

const settled = Math.ceil(periods * SETTLING_SHARE);
print("soak", {
  minutes: (periods * PERIOD_MS) / 60_000,
  swaps: periods,
  failures,
  residentMiB: Math.round(memory.at(-1)!),
  memorySlopeMiBPerHour: perHour(memory.slice(settled)),
  p99Ms: latency.at(-1),
  p99SlopeMsPerHour: perHour(latency.slice(settled)),
});
await replica.stop();
await home.backends.close();
rmSync(folder, { recursive: true, force: true });

/** The slope of the least-squares line through one value per period. */
function perHour(series: readonly number[]): number {
  const middle = (series.length - 1) / 2;
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
  let covariance = 0;
  let variance = 0;
  for (const [index, value] of series.entries()) {
    covariance += (index - middle) * (value - mean);
    variance += (index - middle) ** 2;
  }
  return Number(((covariance / Math.max(variance, 1)) * PERIODS_PER_HOUR).toFixed(1));
}
