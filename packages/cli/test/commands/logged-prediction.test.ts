import { findPrediction } from "@flts/cli/commands/logged-prediction";
import type { LoggedBatch, LoggedForecast } from "@flts/common/contracts/inference-log";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, test } from "vitest";

const common = {
  timestamp: "2026-03-02T10:00:00.000Z",
  v: 1 as const,
  identifier: "North",
  replica: "inference-1",
  run_id: "run",
  model_type: "LSTM",
  config_hash: "c",
  epoch: 3,
  status: "SUCCESS" as const,
};
const forecast = (req_id: string, over: Partial<LoggedForecast> = {}): LoggedForecast => ({
  ...common,
  operation: "Forecast",
  req_id,
  origin: "2026-03-02T09:58:00",
  last: { down: 1 },
  steps: [],
  ...over,
});
const batch = (prediction_hash: string): LoggedBatch => ({
  ...common,
  operation: "Inference",
  table: "t",
  metrics: { metrics_error: "none", prediction_hash, rows_predicted: 9 },
  samples: [],
});

async function storeWith(logs: Readonly<Record<string, readonly (object | string)[]>>): Promise<ObjectStore> {
  const store = createMemoryStore();
  await store.ensureBucket(buckets.inferenceLogs);
  for (const [key, lines] of Object.entries(logs)) {
    const texts = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`);
    await store.put({ bucket: buckets.inferenceLogs, key }, Buffer.from(texts.join("")));
  }
  return store;
}

const part = keys.inferenceLogPart("North", "20260302", "predict-1");
const day = keys.inferenceLog("North", "20260301");

test("an answer is found by its req_id, a batch by its prediction_hash, with the replica and the epoch that it names", async () => {
  const store = await storeWith({ [part]: [forecast("a"), forecast("b"), batch("0123456789abcdef")] });
  expect(await findPrediction("b", store)).toEqual({
    id: "b",
    identifier: "North",
    runId: "run",
    epoch: 3,
    replica: "inference-1",
    timestamp: "2026-03-02T10:00:00.000Z",
    object: part,
  });
  expect(await findPrediction("0123456789abcdef", store)).toMatchObject({ runId: "run", object: part });
});

test("it is found in a day that was gathered, and of equal ids the latest is taken, whichever station's folder comes last", async () => {
  const store = await storeWith({
    [day]: [forecast("a"), forecast("old")],
    [keys.inferenceLog("Aldea", "20260302")]: [forecast("a", { identifier: "Aldea" })],
  });
  expect(await findPrediction("old", store)).toMatchObject({ object: day });
  expect(await findPrediction("a", store)).toMatchObject({ identifier: "Aldea" });
});

test("lines that are none, of another kind, or that only mention the id are passed over", async () => {
  const store = await storeWith({
    [part]: [
      `"a"`,
      `{"operation": "Live error", "req_id": "a"}`,
      forecast("ab"),
      forecast("c", { origin: "a" }),
    ],
    [keys.keptForecasts("North", "20260302T100000", "a")]: [forecast("a")],
  });
  expect(await findPrediction("a", store)).toBeNull();
});

test("a log of many lines that arrives in pieces is read line by line", async () => {
  const many = Array.from({ length: 2_000 }, (_, index) => forecast(`é-${index}`));
  const whole = await storeWith({ [part]: many });
  const store: ObjectStore = {
    ...whole,
    async stream(ref) {
      const stored = await whole.get(ref);
      return stored === null ? null : { ...stored, chunks: piecesOf(stored.bytes) };
    },
  };
  expect(await findPrediction("é-1999", store)).toMatchObject({ id: "é-1999" });
});

async function* piecesOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let begin = 0; begin < bytes.length; begin += 997) yield bytes.subarray(begin, begin + 997);
}
