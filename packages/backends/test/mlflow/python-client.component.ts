import { execFileSync } from "node:child_process";
import process from "node:process";
import { type Artifact, storeArtifact } from "@flts/families/artifact";
import { fitFamily } from "@flts/families/fit";
import { loadModel } from "@flts/families/model";
import { familyOf } from "@flts/families/registry";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows } from "@flts/forecasting/table/table";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { openTracker, serverUri } from "./open-tracker.ts";

/** Runs and models in the hands of MLflow's own client. `FLTS_PYTHON`: tools/python/requirements.txt. */
const python = process.env["FLTS_PYTHON"];

const script = `
import json, sys
import mlflow, numpy as np
run_id, model = sys.argv[1], sys.argv[2]
client = mlflow.MlflowClient()
run = client.get_run(run_id)
def files(path=None):
    return sum((files(f.path) if f.is_dir else [f.path] for f in client.list_artifacts(run_id, path)), [])
version = client.get_model_version_by_alias(model, "champion")
answer = mlflow.pyfunc.load_model(f"models:/{model}@champion").predict(
    {"window": np.array(json.loads(sys.stdin.read())).reshape(1, int(sys.argv[3]), -1)})
print(json.dumps({
    "experiment": client.get_experiment(run.info.experiment_id).name,
    "name": run.info.run_name,
    "status": run.info.status,
    "params": run.data.params,
    "tags": run.data.tags,
    "history": [[m.step, m.value] for m in client.get_metric_history(run_id, "test_rmse")],
    "files": sorted(files()),
    "version": [version.version, version.run_id, version.tags],
    "answer": np.asarray(answer["forecast"] if isinstance(answer, dict) else answer).ravel().tolist(),
}))
`;
const report = z.object({
  experiment: z.string(),
  name: z.string(),
  status: z.string(),
  params: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  history: z.array(z.tuple([z.number(), z.number()])),
  files: z.array(z.string()),
  version: z.tuple([z.coerce.string(), z.string(), z.record(z.string(), z.string())]),
  answer: z.array(z.number()),
});

const tracker = openTracker();
afterAll(() => tracker.close());

/** LINEAR on a synthetic station: milliseconds to fit. */
async function fitLinear(): Promise<Artifact> {
  const raw = synthesizeStation({ seed: 3, rows: 800, startMs: Date.UTC(2024, 0, 8) });
  const { train, scaling } = preprocessPair(raw, sliceRows(raw, 0, 100), defaultSettings("a.csv", "b.csv"));
  const { artifact } = await fitFamily(familyOf("LINEAR"), {
    parquet: writeParquet(train, { scaling: JSON.stringify(scaling) }),
    targets: ["down"],
    settings: { INPUT_SEQ_LEN: 10 },
    seed: "seed",
    provenance: {
      round: "round",
      work_key: "0123456789abcdef".repeat(4),
      config_hash: "",
      identifier: "",
      table: { bucket: "", object: "", size: 0, sha256: "" },
      code_version: "",
    },
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  return artifact;
}

test.skipIf(!python)(
  "MLflow's own client sees a run and serves its model by alias with our numbers (needs FLTS_PYTHON)",
  async () => {
    const artifact = await fitLinear();
    const name = `flts-${Date.now().toString(36)}`;
    const { runId } = await tracker.startRun({
      experiment: "NonML",
      name: "LINEAR",
      tags: { work_key: "w", "flts.round": "r" },
    });
    await tracker.logParams(runId, { model_type: "LINEAR", input_sequence_length: "10" });
    await tracker.logMetrics(runId, [
      { name: "test_rmse", step: 1, value: 0.5 },
      { name: "test_rmse", step: 2, value: 0.25 },
    ]);
    await storeArtifact(tracker, runId, artifact);
    await tracker.putArtifact(runId, "preprocess/preprocess_config.json", Buffer.from("{}"));
    await tracker.endRun(runId, "FINISHED");
    const { version } = await tracker.registerModel({
      model: name,
      runId,
      path: "LINEAR",
      tags: { semantic_version: "1.0.0" },
    });
    await tracker.setModelAlias(name, "champion", version);

    const { forecaster, ...model } = await loadModel(artifact);
    const cells = Float64Array.from(artifact.manifest.self_test.window, (cell) => cell ?? Number.NaN);
    const expected = await forecaster.predict(cells, Float64Array.of(0));
    await model.close();
    const output = execFileSync(python ?? "", ["-c", script, runId, name, String(forecaster.window)], {
      input: JSON.stringify([...cells]),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, MLFLOW_TRACKING_URI: serverUri() },
    });
    const seen = report.parse(JSON.parse(output.trim().split("\n").at(-1) ?? ""));
    expect(seen).toMatchObject({
      experiment: "NonML",
      name: "LINEAR",
      status: "FINISHED",
      params: { model_type: "LINEAR", input_sequence_length: "10" },
      tags: { work_key: "w", "flts.round": "r" },
      history: [
        [1, 0.5],
        [2, 0.25],
      ],
      version: ["1", runId, { semantic_version: "1.0.0" }],
    });
    expect(seen.files).toStrictEqual(
      [
        ...[...artifact.files.keys(), "manifest.json"].map((file) => `LINEAR/${file}`),
        "preprocess/preprocess_config.json",
      ].toSorted(),
    );
    expect(seen.answer).toHaveLength(expected.length);
    for (const [index, value] of seen.answer.entries())
      expect(value / (expected[index] ?? Number.NaN)).toBeCloseTo(1, 6);
  },
);
