import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type BenchHome,
  openHome,
  promote,
  type StoredRun,
  storeRottenRun,
  storeRun,
  trainLstm,
} from "../../tools/bench/predict/home.ts";
import { type Replica, startReplica } from "../../tools/bench/predict/replica.ts";
import { madeUpStation, predictRequests } from "../../tools/bench/predict/station.ts";
import { runSwaps } from "../../tools/bench/predict/swaps.ts";

/** Two replicas under load whose model changes again and again; `pnpm bench:predict swaps` does the same a thousand times. */

const SWAPS = 40;
const RATE = 100;
/** Small, and trained long enough to answer something else than nothing. */
const LSTM = { HIDDEN_SIZE: 8, EPOCHS: 10, LEARNING_RATE: 1e-2 };

const folder = mkdtempSync(join(tmpdir(), "flts-e2e-swaps-"));
const station = madeUpStation({ train: 1_000, test: 200 });
let home: BenchHome;
let replicas: Replica[] = [];
let runs: StoredRun[] = [];
let rotten: StoredRun;

beforeAll(async () => {
  home = await openHome(folder);
  const [first, second] = [await trainLstm(station, "a", LSTM), await trainLstm(station, "b", LSTM)];
  runs = [await storeRun(home, first), await storeRun(home, second)];
  rotten = await storeRottenRun(home, second);
  await promote(home, runs[1]!, 1);
  replicas = await Promise.all([startReplica(folder, "a"), startReplica(folder, "b")]);
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await home.backends.close();
  rmSync(folder, { recursive: true, force: true });
});

test("swaps under load, rotten ones among them, fail no request and mislabel no answer", async () => {
  const requests = predictRequests(station, 100);
  const summary = await runSwaps({
    home,
    station,
    replicas,
    requests,
    runs,
    rotten,
    swaps: SWAPS,
    epoch: 1,
    rate: RATE,
  });
  expect(summary).toMatchObject({ swaps: SWAPS, rotten: 4, refused: 0, failures: 0, mislabelled: 0 });
  expect(summary.answered).toBeGreaterThan(SWAPS);
});
