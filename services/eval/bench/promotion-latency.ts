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
import type { Promotion } from "@flts/common/contracts/promotion";
import { emit } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { startStage, toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { evalStage } from "../src/eval-stage.ts";
import { lastPromotions, modelsOf } from "../src/promotion/books.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { promotionOf, winnerOf } from "../src/promotion/promotion-of.ts";
import { createWaitingRoom } from "../src/round/waiting.ts";
import { createStationBook } from "../src/stations.ts";
import { decisionOf, patienceFor } from "../test/builders.ts";
import { createWorld, successOf } from "../test/trained-world.ts";

/**
 * Time from the last SUCCESS of a round to its `model-selected`, as who waits for it sees it, with many earlier candidates in the store and many epochs in the
 * history. Rounds are scored by the real judge on real LINEAR models. And the time that it takes to list the station's models. Prints a line of JSON for each.
 *
 * `pnpm bench:promotion [earlier candidates] [rounds] [earlier epochs]`
 */
const [earlier = 10_000, rounds = 50, epochs = 1_000] = process.argv.slice(2).map(Number);

const home = mkdtempSync(join(tmpdir(), "flts-promotion-"));
const backends = await connectBackends(loadConfig(backendSettings, { ...process.env, FLTS_HOME: home }));
try {
  await backends.log.ensureTopics(pipelineTopics(1));
  const world = await createWorld(backends);
  const first = await world.train({ window: 10 });
  await fillStore(backends, first, earlier);
  await fillHistory(backends, first, epochs);
  const models = await timeModels(backends);
  const delays = await measure(backends, world, rounds);
  const sorted = delays.toSorted((a, b) => a - b);
  const quantile = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  process.stdout.write(
    `${JSON.stringify({
      figure: "last SUCCESS to model-selected",
      unit: "ms",
      earlier_candidates: earlier,
      earlier_epochs: epochs,
      rounds,
      p50: quantile(0.5),
      p99: quantile(0.99),
      max: quantile(1),
    })}\n${JSON.stringify({ figure: "models of a station", unit: "ms", epochs, ms: models })}\n`,
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

/** Epochs of as many runs, the latest of them a model that is there. */
async function fillHistory({ store }: Backends, like: Candidate, count: number): Promise<void> {
  const last = promoteLike(like, count);
  for (let epoch = 1; epoch <= count; epoch++) {
    const run_id = epoch === count ? last.run_id : sha256(`run ${epoch}`).slice(0, 32);
    const entry = { ...last, epoch, previous_epoch: epoch === 1 ? null : epoch - 1, run_id };
    const key = keys.history("", epoch);
    await writeDocument(store, { bucket: buckets.promotion, key }, { ...entry, promotion_id: `${epoch}` });
  }
}

/** The promotion of a candidate, as its station's latest. */
function promoteLike({ run_id, model_type, work_key, manifest_sha256 }: Candidate, epoch: number): Promotion {
  const decided = decisionOf({ round: "earlier" }, epoch - 1);
  const version = { version: `1.0.${epoch}`, highest_version: `1.0.${epoch}` };
  return {
    ...promotionOf(decided, winnerOf(decided), version),
    run_id: run_id!,
    model_type,
    work_key,
    manifest_sha256: manifest_sha256!,
  };
}

async function timeModels({ store }: Backends): Promise<number> {
  const begun = performance.now();
  const ledger = createLedger(store, buckets.promotion);
  const models = modelsOf(await lastPromotions("", Number.POSITIVE_INFINITY, ledger));
  if (models.length !== epochs) throw new Error(`${models.length} models of ${epochs} epochs`);
  return Math.round(performance.now() - begun);
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
