import { FltsError } from "@flts/common/contracts/errors";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { float64 } from "@flts/neural/graph/tensor";
import { openSession } from "@flts/neural/session/session";
import type { ModelDescription } from "./manifest.ts";

/** The file of every family whose model is an ONNX graph: `window` in, `forecast` out, both float64 in raw units. */
export const MODEL_FILE = "model.onnx";

/** A forecaster on an ONNX model with scaling inside. @throws ARTIFACT_INVALID */
export async function onnxForecaster(
  files: ReadonlyMap<string, Uint8Array>,
  { columns, targets, window, horizon, step_ms }: ModelDescription,
): Promise<Forecaster> {
  const model = files.get(MODEL_FILE);
  if (model === undefined) throw new FltsError("ARTIFACT_INVALID", `the model lacks ${MODEL_FILE}`);
  const session = await openSession(model).catch((cause: unknown) => {
    throw new FltsError("ARTIFACT_INVALID", `${MODEL_FILE} is not a model that onnxruntime can run`, cause);
  });
  let closed = false;
  return {
    columns,
    targets,
    window,
    horizon,
    stepMs: step_ms,
    async predict(windows) {
      const count = windows.length / (window * columns.length);
      const { forecast } = await session.run({ window: float64([count, window, columns.length], windows) });
      if (forecast === undefined)
        throw new FltsError("ARTIFACT_INVALID", `${MODEL_FILE} has no output 'forecast'`);
      return forecast.data as Float64Array;
    },
    async close() {
      if (closed) return;
      closed = true;
      await session.close();
    },
  };
}
