import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runClosedLoop } from "@flts/testing/load/closed-loop";
import type { Reply } from "@flts/testing/load/connection";
import { runOpenLoop } from "@flts/testing/load/open-loop";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { openHome, promote, storeRottenRun, storeRun, trainLstm } from "./predict/home.ts";
import { type Replica, startReplica } from "./predict/replica.ts";
import { print, withCosts } from "./predict/report.ts";
import { benchStation, predictRequests } from "./predict/station.ts";
import { runSwaps } from "./predict/swaps.ts";

/**
 * `pnpm bench:predict [closed open overload swaps]`: what one replica does for clients, with the generator on the same cores. It serves a promoted LSTM 2×128 and is asked
 * with 30 rows, on PobleSec where `FLTS_DATASET_DIR` is set. `BENCH_SECONDS` (10) is the length of each load, `BENCH_SWAPS` (1,000) the number of swaps.
 */
const USERS = 50;
const WARM_UP_MS = 4_000;
/** Requests a second that a replica is to answer: a rate that is the same on every machine. */
const GOAL = 4_000;
/** Of the peak, and of the goal, at which latencies are to be small. */
const OPEN_SHARE = 0.6;
/** Of what two replicas do together on these cores. */
const SWAP_SHARE = 0.8;
const OVERLOAD_FACTOR = 3;
/** More than are let in at once, so that nobody waits in the generator. */
const OVERLOAD_CONNECTIONS = 1_000;
/** A forecast that keeps a thread busy for some ten milliseconds. */
const LONG_STEPS = 200;
/** Enough to keep it busy, and too few to be refused. */
const LONG_USERS = 32;

const scenarios = process.argv.slice(2);
const wanted = (name: string): boolean => scenarios.length === 0 || scenarios.includes(name);
const durationMs = Number(process.env["BENCH_SECONDS"] ?? 10) * 1000;
const random = createSeededRandom(1).next;

const folder = mkdtempSync(join(tmpdir(), "flts-bench-predict-"));
const station = benchStation();
const home = await openHome(folder);
const champion = await storeRun(home, await trainLstm(station, "a"));
await promote(home, champion, 1);
const replica = await startReplica(folder, "a");
const { host, port } = replica;
const requests = predictRequests(station, 500);
const short = { host, port, requests };

await runClosedLoop({ ...short, users: USERS, durationMs: WARM_UP_MS });
const closed = await withCosts(replica, () => runClosedLoop({ ...short, users: USERS, durationMs }));
print(`predict.closed.${USERS}`, { station: station.name, ...closed });
const peak = closed.requestsPerSecond;

if (wanted("open")) {
  const runAt = (rate: number) =>
    withCosts(replica, () => runOpenLoop({ ...short, rate, durationMs, random }));
  const rate = Math.round(peak * OPEN_SHARE);
  print("predict.open.60", { rate, ...(await runAt(rate)) });
  const goalRate = GOAL * OPEN_SHARE;
  print("predict.open.60.of.goal", { rate: goalRate, ...(await runAt(goalRate)) });
}

if (wanted("overload")) {
  const long = { host, port, requests: predictRequests(station, 100, LONG_STEPS) };
  const full = countSteady(durationMs);
  const capacity = await withCosts(replica, () =>
    runClosedLoop({ ...long, users: LONG_USERS, durationMs, onReply: full.count }),
  );
  print("predict.long.capacity", { steps: LONG_STEPS, goodput: full.perSecond(), ...capacity });
  const rate = Math.round(OVERLOAD_FACTOR * full.perSecond());
  const over = countSteady(durationMs);
  const overload = await withCosts(replica, () =>
    runOpenLoop({
      ...long,
      rate,
      durationMs,
      random,
      onReply: over.count,
      connections: OVERLOAD_CONNECTIONS,
    }),
  );
  const goodputShare = Number((over.perSecond() / full.perSecond()).toFixed(3));
  print(`predict.overload.${OVERLOAD_FACTOR}x`, {
    rate,
    goodput: over.perSecond(),
    goodputShare,
    ...overload,
  });
}

if (wanted("swaps")) {
  const second = await startReplica(folder, "b");
  const both = [replica, second];
  const peakOf = async ({ host: at, port: on }: Replica): Promise<number> => {
    const load = { host: at, port: on, requests, users: USERS / both.length, durationMs: WARM_UP_MS };
    return (await runClosedLoop(load)).requestsPerSecond;
  };
  await Promise.all(both.map(peakOf)); // The second one has to warm up.
  const peaks = await Promise.all(both.map(peakOf));
  const other = await storeRun(home, await trainLstm(station, "b"));
  const summary = await runSwaps({
    home,
    station,
    replicas: both,
    requests,
    runs: [other, champion],
    rotten: await storeRottenRun(home, other.artifact),
    swaps: Number(process.env["BENCH_SWAPS"] ?? 1_000),
    epoch: 1,
    rate: SWAP_SHARE * peaks.reduce((sum, each) => sum + each, 0),
  });
  print("predict.swaps", { peaks, ...summary });
  await second.stop();
}

await replica.stop();
await home.backends.close();
rmSync(folder, { recursive: true, force: true });

/** Counts answers in the second half of a load: in the first one queues are still filling, and after it they drain. */
function countSteady(loadMs: number) {
  const begun = performance.now();
  let answers = 0;
  return {
    count({ status }: Reply): void {
      const elapsed = performance.now() - begun;
      if (status === 200 && elapsed > loadMs / 2 && elapsed <= loadMs) answers += 1;
    },
    perSecond: (): number => Number(((answers * 2000) / loadMs).toFixed(1)),
  };
}
