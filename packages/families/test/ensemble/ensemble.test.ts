import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { forecastAfter } from "@flts/forecasting/recursive";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows, type Table, toMatrix } from "@flts/forecasting/table/table";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Artifact, encodeManifest, fetchArtifact, storeArtifact } from "../../src/artifact.ts";
import { type FitOptions, type FittedModel, fitFamily } from "../../src/fit.ts";
import { loadModel } from "../../src/model.ts";
import { familyOf } from "../../src/registry.ts";
import { fitWork } from "../support/fit-work.ts";

const raw = synthesizeStation({ seed: 5, rows: 2_400, startMs: Date.UTC(2024, 0, 8) });
const { train, scaling } = preprocessPair(
  sliceRows(raw, 0, 2_200),
  sliceRows(raw, 2_200),
  defaultSettings("a.csv", "b.csv"),
);
const TARGETS = ["down", "up"];

function fit(
  family: string,
  settings: Record<string, unknown>,
  changes: Partial<FitOptions> = {},
  table: Table = train,
): Promise<FittedModel> {
  const work = fitWork(writeParquet(table, { scaling: JSON.stringify(scaling) }), {
    targets: TARGETS,
    settings: { ...z.object(familyOf(family).settings).parse({}), ...settings },
    ...changes,
  });
  return fitFamily(familyOf(family), work);
}

/** The weights that an ensemble's file names, by family. */
function weightsOf({ files }: Artifact): ReadonlyMap<string, readonly number[]> {
  const text = new TextDecoder().decode(files.get("ensemble.json"));
  const { members } = JSON.parse(text) as { members: { family: string; weights: number[] }[] };
  return new Map(members.map(({ family, weights }) => [family, weights]));
}

let linear: Artifact;
let prophet: Artifact;
let members: readonly Artifact[];
let ensemble: FittedModel;

beforeAll(async () => {
  linear = (await fit("LINEAR", { INPUT_SEQ_LEN: 10 })).artifact;
  prophet = (await fit("PROPHET", { COUNTRY: "NONE" })).artifact;
  members = [linear, prophet];
  ensemble = await fit("ENSEMBLE", {}, { members });
});

describe("ENSEMBLE", () => {
  test("is about as good as its best member or better, on rows that nobody was fitted on", () => {
    const best = Math.min(...members.map(({ manifest }) => manifest.scores.rmse));
    expect(ensemble.scores.rmse).toBeLessThan(1.02 * best);
  });

  test("says which rows it was made of: its weights saw the calibrate rows", () => {
    const { manifest } = ensemble.artifact;
    expect(manifest.rows).toEqual(linear.manifest.rows);
    expect(manifest.data.trained_until_ms).toBe(train.timesMs[manifest.rows.calibrate[1] - 1]);
    expect(manifest).toMatchObject({ family: "ENSEMBLE", window: 10, horizon: 1, targets: TARGETS });
    expect(manifest.columns).toEqual(linear.manifest.columns);
  });

  test("forecasts the weighted mean of its members, each given the end of the window", async () => {
    const [whole, one, other] = await Promise.all(
      [ensemble.artifact, ...members].map((artifact) => loadModel(artifact)),
    );
    const weights = weightsOf(ensemble.artifact);
    const rows = sliceRows(raw, 100, 110);
    const end = Float64Array.of(rows.timesMs.at(-1)!);
    const { columns } = whole!.forecaster;
    const window = toMatrix(sliceRows(train, 100, 110), columns);
    const narrow = toMatrix(sliceRows(train, 109, 110), other!.forecaster.columns);
    const [mean, first, second] = [
      await whole!.forecaster.predict(window, end),
      await one!.forecaster.predict(window, end),
      await other!.forecaster.predict(narrow, end),
    ];
    for (const [target] of TARGETS.entries()) {
      const expected =
        (weights.get("LINEAR")?.[target] ?? 0) * first[target]! +
        (weights.get("PROPHET")?.[target] ?? 0) * second[target]!;
      expect(mean[target]! / expected).toBeCloseTo(1, 12);
    }
    await Promise.all([whole, one, other].map((model) => model?.close()));
  });

  test("is stored, fetched and served like any other model", async () => {
    const tracker = createMemoryTracker();
    const { runId } = await tracker.startRun({ experiment: "Default", name: "ENSEMBLE", tags: {} });
    await storeArtifact(tracker, runId, ensemble.artifact);
    const fetched = await fetchArtifact(tracker, { runId, family: "ENSEMBLE", manifestSha256: null });
    const model = await loadModel(fetched);
    const { forecast, lower, upper } = await forecastAfter(
      model.forecaster,
      model.manifest.intervals,
      raw,
      40,
    );
    for (const [index, value] of forecast.entries()) {
      expect(Number.isFinite(value)).toBe(true);
      expect(lower[index]).toBeLessThanOrEqual(value);
      expect(upper[index]).toBeGreaterThanOrEqual(value);
    }
    await model.close();
  });

  test("the same members give the same bytes", async () => {
    const again = await fit("ENSEMBLE", {}, { members });
    expect(encodeManifest(again.artifact.manifest)).toEqual(encodeManifest(ensemble.artifact.manifest));
  });

  test("leaves out a member without weight", async () => {
    const worthless = { ...prophet, files: worthlessFiles(prophet) };
    const { artifact, params } = await fit("ENSEMBLE", {}, { members: [linear, worthless] });
    expect([...weightsOf(artifact)]).toEqual([["LINEAR", [1, 1]]]);
    expect([...artifact.files.keys()].some((name) => name.startsWith("members/PROPHET/"))).toBe(false);
    expect(params).toMatchObject({
      members: "LINEAR, PROPHET",
      weight_LINEAR_down: "1",
      weight_PROPHET_up: "0",
    });
  });

  test.each([
    ["no member", () => ({ members: [] }), "MEMBERS_MISSING", /two members, there are 0/],
    ["a single member", () => ({ members: [linear] }), "MEMBERS_MISSING", /there are 1/],
    [
      "members that forecast something else",
      () => ({ members, targets: ["down"] }),
      "SETTINGS_INVALID",
      /LINEAR forecasts down, up: give all trainers the same TARGETS/,
    ],
    [
      "a member of an ensemble",
      () => ({ members: [linear, { ...prophet, manifest: { ...prophet.manifest, family: "ENSEMBLE" } }] }),
      "MODEL_UNKNOWN",
      /ENSEMBLE/,
    ],
  ])("%s is refused by its name", async (_what, changes, code, message) => {
    const failing = fit("ENSEMBLE", {}, changes());
    await expect(failing).rejects.toMatchObject({ code });
    await expect(failing).rejects.toThrow(message);
  });

  test("rows that a member was fitted on are not used for weights", async () => {
    const short = sliceRows(train, 0, 50);
    const pair = [
      (await fit("LINEAR", { INPUT_SEQ_LEN: 10 }, {}, short)).artifact,
      (await fit("PROPHET", { COUNTRY: "NONE" }, {}, short)).artifact,
    ];
    const failing = fit("ENSEMBLE", {}, { members: pair }, short);
    await expect(failing).rejects.toMatchObject({ code: "TABLE_TOO_SHORT" });
    await expect(failing).rejects.toThrow(/PROPHET was fitted on rows/);
  });

  test.each([
    ["ensemble.json", /lacks ensemble.json/],
    ["members/LINEAR/manifest.json", /lacks members\/LINEAR\/manifest.json/],
    ["members/LINEAR/model.onnx", /model.onnx/],
  ])("a model without %s is refused", async (name, message) => {
    const files = new Map([...ensemble.artifact.files].filter(([file]) => file !== name));
    const failing = loadModel({ ...ensemble.artifact, files });
    await expect(failing).rejects.toMatchObject({ code: "ARTIFACT_INVALID" });
    await expect(failing).rejects.toThrow(message);
  });
});

/** Prophet's curves far away from anything measured. */
function worthlessFiles({ files }: Artifact): ReadonlyMap<string, Uint8Array> {
  const text = new TextDecoder().decode(files.get("prophet.json"));
  const model = JSON.parse(text) as { targets: { curve: { trend: { offset: number } } }[] };
  for (const { curve } of model.targets) curve.trend.offset += 1_000;
  return new Map([["prophet.json", new TextEncoder().encode(JSON.stringify(model))]]);
}
