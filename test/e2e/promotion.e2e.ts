import { backendSettings, connectBackends } from "@flts/backends/connect";
import type { LoggedForecast } from "@flts/common/contracts/inference-log";
import { buckets, keys } from "@flts/common/contracts/layout";
import { loadConfig } from "@flts/common/service/config";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeScratch, resultOf, runFlts, stationCsv } from "./flts.ts";

/** What a person asks and orders after a round: the commands about promotion on a home that a demo has left. */

const scratch = makeScratch();
const home = scratch.home();
let run: string;

beforeAll(async () => {
  const data = ["--data", scratch.dataset(stationCsv(600)), "--dataset", "a", "--families", "LINEAR,PROPHET"];
  await runFlts(["demo", "--home", home, ...data]);
  const { promotions } = (await ask("history")) as { promotions: { run_id: string }[] };
  run = promotions[0]?.run_id ?? "";
});

afterAll(() => scratch.remove());

async function ask(...parameters: readonly string[]): Promise<unknown> {
  const ended = await runFlts([...parameters, "--home", home, "--json"]);
  expect(ended).toMatchObject({ code: 0 });
  return resultOf(ended);
}

test("a run is traced to the bytes of its dataset, and its decision comes out the same again", async () => {
  expect(await ask("explain", run)).toMatchObject({
    runId: run,
    dataset: { proven: true, files: [{ object: "a.csv" }, { object: "a_test.csv" }] },
    table: { state: "whole" },
    claims: [{ partition: expect.any(Number) }],
    training: { isResult: true },
    decisions: [{ verdict: "cold_start", gate: "strict" }],
    promotions: [{ epoch: 1, version: "1.0.0" }],
    prediction: null,
  });
  expect(await ask("explain", "--replay", "1")).toMatchObject({ same: true, differences: [] });
});

test("a logged forecast is traced on to the epoch and the replica that answered", async () => {
  const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));
  const key = keys.inferenceLogPart("", "20260302", "predict-1");
  await backends.store.ensureBucket(buckets.inferenceLogs);
  await backends.store.put(
    { bucket: buckets.inferenceLogs, key },
    Buffer.from(`${JSON.stringify(forecastOf("req-1"))}\n`),
  );
  await backends.close();
  expect(await ask("explain", "req-1")).toMatchObject({
    runId: run,
    dataset: { proven: true },
    training: { isResult: true },
    decisions: [{ verdict: "cold_start" }],
    promotions: [{ epoch: 1, run_id: run }],
    prediction: { id: "req-1", epoch: 1, replica: "inference-1", object: key },
  });
});

/** What a replica logs of an answer. */
const forecastOf = (req_id: string): LoggedForecast => ({
  v: 1,
  timestamp: "2026-03-02T10:00:00.000Z",
  identifier: "default",
  replica: "inference-1",
  run_id: run,
  model_type: "LINEAR",
  config_hash: "c",
  epoch: 1,
  status: "SUCCESS",
  operation: "Forecast",
  req_id,
  origin: "2026-03-02T09:58:00",
  last: { down: 1 },
  steps: [],
});

test("the gate is asked without promoting, an order is carried out, and taken back", async () => {
  expect(await ask("gate", "--dry-run", run)).toMatchObject({ judgement: { verdict: "held" } });
  const { decision } = (await ask("explain", "--replay", "1")) as {
    decision: { scoreboard: { run_id: string }[] };
  };
  const other = decision.scoreboard.find(({ run_id }) => run_id !== run)?.run_id ?? "";
  expect(await ask("promote", other, "--reason", "a try", "--force")).toMatchObject({
    changed: true,
    promotion: { epoch: 2, run_id: other, source: "manual", reason: "a try" },
  });
  expect(await ask("rollback", "--reason", "enough")).toMatchObject({
    changed: true,
    promotion: { epoch: 3, run_id: run, restored_epoch: 1, version: "1.0.0" },
  });
  expect(await ask("models")).toMatchObject({ models: [{ run_id: run, epochs: [3, 1] }, { run_id: other }] });
});

test("what cannot be explained or promoted is said in one line", async () => {
  expect(await runFlts(["explain", "nothing", "--home", home])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("neither a run nor a forecast"),
  });
  expect(await runFlts(["promote", "nothing", "--reason", "r", "--home", home])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("there is no run nothing"),
  });
});
