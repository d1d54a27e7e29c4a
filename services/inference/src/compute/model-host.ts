import { loadModel, type Model } from "@flts/families/model";
import { rollOn } from "@flts/forecasting/recursive";
import type { Done, RolledWindows, ThreadRequest } from "./protocol.ts";

/** The models of one thread, and what is asked of them. */
export interface ModelHost {
  /** @throws ARTIFACT_INVALID, MODEL_UNKNOWN, and what a model throws */
  handle(request: ThreadRequest): Promise<Done>;
}

export function createModelHost(): ModelHost {
  const models = new Map<number, Model>();

  async function take(request: ThreadRequest): Promise<RolledWindows | null> {
    switch (request.kind) {
      case "open":
        models.set(request.model, await loadModel(request));
        return null;
      case "predict": {
        const model = models.get(request.model);
        if (model === undefined) throw new Error(`model ${request.model} is not open in this thread`);
        return roll(model, request);
      }
      case "close": {
        const model = models.get(request.model);
        models.delete(request.model);
        await model?.close();
        return null;
      }
      case "end":
        for (const model of models.values()) await model.close();
        models.clear();
        return null;
    }
  }

  return {
    async handle(request) {
      const begun = performance.now();
      const rolled = await take(request);
      return { rolled, durationMs: performance.now() - begun };
    },
  };
}

type Prediction = Extract<ThreadRequest, { kind: "predict" }>;

/** Long forecasts are rolled on here: each step is computed from the last one, and nobody else has to see it. */
async function roll(
  { forecaster }: Model,
  { windows, endTimesMs, blocks, goesOn }: Prediction,
): Promise<RolledWindows> {
  const forecast = owned(await rollOn(forecaster, windows, endTimesMs, blocks, goesOn));
  return goesOn ? { forecast, windows, endTimesMs } : { forecast, windows: null, endTimesMs: null };
}

/** The numbers in a buffer of their own, which can be given away instead of copied. */
const owned = (numbers: Float64Array): Float64Array<ArrayBuffer> =>
  numbers.buffer instanceof ArrayBuffer && numbers.byteLength === numbers.buffer.byteLength
    ? (numbers as Float64Array<ArrayBuffer>)
    : numbers.slice();
