import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows } from "@flts/forecasting/table/table";
import { afterAll, expect, test } from "vitest";
import { fitFamily } from "../src/fit.ts";
import { loadModel } from "../src/model.ts";
import { familyOf } from "../src/registry.ts";

/** The artifacts in MLflow's own hands. `FLTS_PYTHON` names a Python with mlflow, onnx and onnxruntime. */
const python = process.env["FLTS_PYTHON"];
const folder = mkdtempSync(join(tmpdir(), "flts-mlflow-"));
afterAll(() => rmSync(folder, { recursive: true }));

const script = `
import json, sys
import numpy as np, mlflow, onnx
path, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
window = np.array(json.loads(sys.stdin.read()), dtype=np.float64).reshape(-1, rows, columns)
model = mlflow.pyfunc.load_model(path)
answer = model.predict({"window": window})
onnx.checker.check_model(mlflow.onnx.load_model(path), full_check=True)
print(json.dumps(np.asarray(answer["forecast"] if isinstance(answer, dict) else answer).ravel().tolist()))
`;

import { fitWork } from "./support/fit-work.ts";

const settings: Readonly<Record<string, Record<string, unknown>>> = {
  LINEAR: { INPUT_SEQ_LEN: 10 },
  LSTM: recurrent("level"),
  GRU: recurrent("root-change"),
};

function recurrent(form: string): Record<string, unknown> {
  return {
    HIDDEN_SIZE: 8,
    NUM_LAYERS: 2,
    BATCH_SIZE: 64,
    EPOCHS: 1,
    LEARNING_RATE: 1e-3,
    LEARNING_RATE_SCHEDULE: "constant",
    FORECAST_OF: form,
    INPUT_SEQ_LEN: 10,
    OUTPUT_SEQ_LEN: 1,
    EARLY_STOPPING: true,
    PATIENCE: 30,
  };
}

const canLoad = python !== undefined && hasMlflow(python);

function hasMlflow(program: string): boolean {
  try {
    execFileSync(program, ["-c", "import mlflow, onnx, onnxruntime"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canLoad).each(Object.keys(settings))(
  "mlflow.pyfunc and mlflow.onnx load %s and give our numbers (needs FLTS_PYTHON with mlflow)",
  async (name) => {
    const raw = synthesizeStation({ seed: 3, rows: 800, startMs: Date.UTC(2024, 0, 8) });
    const { train, scaling } = preprocessPair(raw, sliceRows(raw, 0, 100), defaultSettings("a.csv", "b.csv"));
    const parquet = writeParquet(train, { scaling: JSON.stringify(scaling) });
    const { artifact } = await fitFamily(
      familyOf(name),
      fitWork(parquet, { settings: settings[name] ?? {} }),
    );
    const path = join(folder, name);
    mkdirSync(path);
    for (const [file, bytes] of artifact.files) writeFileSync(join(path, file), bytes);
    const model = await loadModel(artifact);
    const { window, columns } = model.forecaster;
    const cells = Float64Array.from(artifact.manifest.self_test.window, (cell) => cell ?? Number.NaN);
    const expected = await model.forecaster.predict(cells, Float64Array.of(0));
    await model.close();
    const output = execFileSync(python ?? "", ["-c", script, path, String(window), String(columns.length)], {
      input: JSON.stringify(Array.from(cells)),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    });
    const answer = JSON.parse(output.trim().split("\n").at(-1) ?? "[]") as number[];
    expect(answer).toHaveLength(expected.length);
    for (const [index, value] of answer.entries())
      expect(Math.abs(value - expected[index]!) / Math.abs(expected[index]!)).toBeLessThan(1e-6);
  },
);
