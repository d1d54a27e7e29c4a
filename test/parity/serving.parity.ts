import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadModel } from "@flts/families/model";
import { MODEL_FILE } from "@flts/families/onnx-forecaster";
import { lastWindow } from "@flts/forecasting/recursive";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { expect, test } from "vitest";
import { openHome, promote, storeRun, trainLstm } from "../../tools/bench/predict/home.ts";
import { startReplica } from "../../tools/bench/predict/replica.ts";
import { historyOf, madeUpStation } from "../../tools/bench/predict/station.ts";

/** One replica asked in every way that there is, and the same model in Python's hands. `FLTS_PYTHON` names a Python with tritonclient, pyarrow and onnxruntime. */
const python = process.env["FLTS_PYTHON"] ?? "";
const hasClients =
  python !== "" && spawnSync(python, ["-c", "import tritonclient.http, pyarrow, onnxruntime"]).status === 0;

const settings = { HIDDEN_SIZE: 16 };
const run = promisify(execFile);

interface Point {
  readonly down: number;
  readonly down_lower: number;
  readonly down_upper: number;
}
const numbersOf = ({ down, down_lower, down_upper }: Point): number[] => [down, down_lower, down_upper];

test.skipIf(!hasClients)(
  "/predict, the protocol, Arrow, the command line and Python's onnxruntime give the same numbers (needs FLTS_PYTHON with tritonclient)",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "flts-serving-parity-"));
    const station = madeUpStation({ train: 1_500, test: 60 });
    const home = await openHome(folder);
    const champion = await storeRun(home, await trainLstm(station, "a", settings));
    await promote(home, champion, 1);
    const replica = await startReplica(folder, "a");
    try {
      const url = `http://${replica.host}:${replica.port}`;
      const history = historyOf(station, 0);
      const columns = Object.fromEntries(
        history.columns.map((name, index) => [name, [...history.values[index]!]]),
      );
      const modelFile = join(folder, MODEL_FILE);
      writeFileSync(modelFile, champion.artifact.files.get(MODEL_FILE)!);
      const csv = join(folder, "rows.csv");
      writeFileSync(csv, toCsv(history));

      const ts = Array.from(history.timesMs, (timeMs) => formatTimestamp(timeMs));
      const response = await fetch(`${url}/predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ data: { ts, ...columns } }),
      });
      const { predictions } = (await response.json()) as { predictions: readonly [Point] };
      const predicted = numbersOf(predictions[0]);

      const { forecaster, close } = await loadModel(champion.artifact);
      const width = forecaster.columns.length;
      const cells = lastWindow(forecaster, history);
      await close();
      const window = Array.from({ length: forecaster.window }, (_, row) => [
        ...cells.subarray(row * width, (row + 1) * width),
      ]);
      const asked = run(python, ["test/parity/serving.py", url, modelFile]);
      asked.child.stdin?.end(JSON.stringify({ window, columns: { ts: [...history.timesMs], ...columns } }));
      const theirs = JSON.parse((await asked).stdout) as Record<string, unknown>;
      expect(theirs).toEqual({
        live: true,
        ready: true,
        server: "flts-inference",
        inputs: ["window", "end_time_ms"],
        fp64: predicted,
        fp32: expect.anything(),
        arrow: predicted,
        onnxruntime: expect.anything(),
        refusal: ["400", expect.stringContaining("inputs.0.shape: 'window' must be")],
      });
      expect(relativeError(Number(theirs["onnxruntime"]), predicted[0]!)).toBeLessThan(1e-5);
      expect(relativeError((theirs["fp32"] as number[])[0]!, predicted[0]!)).toBeLessThan(1e-4);

      const flags = ["--home", folder, "--data", csv, "--horizon", "1", "--json"];
      const cli = await run(process.execPath, [
        "--conditions=source",
        "packages/cli/src/main.ts",
        "predict",
        ...flags,
      ]);
      const { forecast } = JSON.parse(cli.stdout) as { forecast: readonly [Point] };
      for (const [index, number] of numbersOf(forecast[0]).entries())
        expect(relativeError(number, predicted[index]!)).toBeLessThan(1e-12);
    } finally {
      await replica.stop();
      await home.backends.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

const relativeError = (value: number, reference: number): number => Math.abs(value / reference - 1);
