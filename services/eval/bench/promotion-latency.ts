import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { writeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import { modelSelected, modelTraining } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import { emit } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { startStage, toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { evalStage } from "../src/eval-stage.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { createWaitingRoom } from "../src/round/waiting.ts";
import { createStationBook } from "../src/stations.ts";
import { patienceFor } from "../test/builders.ts";
import { createWorld, successOf } from "../test/trained-world.ts";

/**
 * Time from the last SUCCESS of a round to its `model-selected`, as who waits for it sees it, with many earlier candidates in the store. Rounds are scored by the
 * real judge on real LINEAR models. Prints one line of JSON.
 *
 * `node --conditions=source services/eval/bench/promotion-latency.ts [earlier candidates] [rounds]`
 */
const [earlier = 10_000, rounds = 50] = process.argv.slice(2).map(Number);

const home = mkdtempSync(join(tmpdir(), "flts-promotion-"));
const backends = await connectBackends(loadConfig(backendSettings, { ...process.env, FLTS_HOME: home }));
try {
  await backends.log.ensureTopics(pipelineTopics(1));
  const world = await createWorld(backends);
  const first = await world.train({ window: 10 });
  await fillStore(backends, first, earlier);
  const delays = await measure(backends, world, rounds);
  const sorted = delays.toSorted((a, b) => a - b);
  const quantile = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  process.stdout.write(
    `${JSON.stringify({
      figure: "last SUCCESS to model-selected",
      unit: "ms",
      earlier_candidates: earlier,
      rounds,
      p50: quantile(0.5),
      p99: quantile(0.99),
      max: quantile(1),
    })}\n`,
  );
} finally {
  await backends.close();
  rmSync(home, { recursive: true, force: true });
}

/** Candidates of other rounds, two a round. */
async function fillStore({ store }: Backends, like: Candidate, count: number): Promise<void> {
  for (let begin = 0; begin < count; begin += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, count - begin) }, async (_, offset) => {
        const number = begin + offset;
        const round = sha256(`earlier ${number >> 1}`);
        const key = keys.candidate(round, "LINEAR", sha256(`work ${number}`));
        await writeDocument(store, { bucket: buckets.promotion, key }, { ...like, round });
      }),
    );
}

async function measure(
  { store, log, clock, random }: Backends,
  world: Awaited<ReturnType<typeof createWorld>>,
  count: number,
): Promise<readonly number[]> {
  const arrived = new Map<string, PromiseWithResolvers<number>>();
  const listener = await log.consume({
    group: "bench",
    topics: [modelSelected.name],
    from: "latest",
    onDelivery: async (delivery) => {
      const { round } = JSON.parse(Buffer.from(delivery.value).toString()) as { round: string };
      arrived.get(round)?.resolve(performance.now());
      await delivery.commit();
    },
    onCrash: fail,
  });
  const stage = await startStage(evalStage, {
    log,
    clock,
    random,
    policy: defaultRetryPolicy,
    group: "eval-bench",
    report: () => undefined,
    onFatal: fail,
    deps: world.evalDeps({
      store,
      clock,
      ledger: createLedger(store, buckets.promotion),
      waiting: createWaitingRoom(store, buckets.promotion, clock),
      stations: createStationBook(store, buckets.promotion),
      patience: patienceFor(["LINEAR"]),
      judgeRound: (candidates, champion) => world.judge(candidates, champion, "off"),
    }),
  });
  const delays: number[] = [];
  for (let number = 0; number < count; number++) {
    const candidate = await world.train({ window: 10 + (number % 5), round: `bench ${number}` });
    const arrival = Promise.withResolvers<number>();
    arrived.set(candidate.round, arrival);
    const begun = performance.now();
    await log.publish([toMessage(emit(modelTraining, successOf(candidate)))]);
    delays.push((await arrival.promise) - begun);
  }
  await stage.stop();
  await listener.stop();
  return delays;
}

function fail(error: unknown): never {
  throw error;
}
