import { parentPort } from "node:worker_threads";
import { codeOf } from "@flts/common/contracts/errors";
import { loadModel, type Model } from "@flts/families/model";
import { rollOn } from "@flts/forecasting/recursive";
import type { RolledWindows, ThreadReply, ThreadRequest } from "./protocol.ts";

/** A thread that computes forecasts: onnxruntime blocks the thread that calls it, and this one has nobody else to listen to. */

const models = new Map<number, Model>();

async function handle(request: ThreadRequest): Promise<RolledWindows | null> {
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
      parentPort?.close();
      return null;
  }
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

async function answer(request: ThreadRequest): Promise<void> {
  let reply: ThreadReply;
  try {
    const begun = performance.now();
    const rolled = await handle(request);
    reply = { ok: true, rolled, durationMs: performance.now() - begun };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { ok: false, code: codeOf(error), message };
  }
  parentPort?.postMessage(reply, reply.ok && reply.rolled !== null ? buffersOf(reply.rolled) : []);
}

const buffersOf = ({ forecast, windows, endTimesMs }: RolledWindows): ArrayBuffer[] =>
  [forecast, windows, endTimesMs].flatMap((numbers) => (numbers === null ? [] : [numbers.buffer]));

/** The numbers in a buffer of their own, which can be given away instead of copied. */
const owned = (numbers: Float64Array): Float64Array<ArrayBuffer> =>
  numbers.buffer instanceof ArrayBuffer && numbers.byteLength === numbers.buffer.byteLength
    ? (numbers as Float64Array<ArrayBuffer>)
    : numbers.slice();

let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: ThreadRequest) => {
  last = last.then(() => answer(request));
});
