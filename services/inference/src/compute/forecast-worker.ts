import { parentPort } from "node:worker_threads";
import { codeOf } from "@flts/common/contracts/errors";
import { loadModel, type Model } from "@flts/families/model";
import type { ThreadReply, ThreadRequest } from "./protocol.ts";

/** A thread that computes forecasts: onnxruntime blocks the thread that calls it, and this one has nobody else to listen to. */

const models = new Map<number, Model>();

async function handle(request: ThreadRequest): Promise<Float64Array | null> {
  switch (request.kind) {
    case "open":
      models.set(request.model, await loadModel(request));
      return null;
    case "predict": {
      const model = models.get(request.model);
      if (model === undefined) throw new Error(`model ${request.model} is not open in this thread`);
      return model.forecaster.predict(request.windows, request.endTimesMs);
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

async function answer(request: ThreadRequest): Promise<void> {
  let reply: ThreadReply;
  try {
    const begun = performance.now();
    const forecast = await handle(request);
    const durationMs = performance.now() - begun;
    reply = { ok: true, forecast: forecast === null ? null : owned(forecast), durationMs };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { ok: false, code: codeOf(error), message };
  }
  const given = reply.ok && reply.forecast !== null ? [reply.forecast.buffer] : [];
  parentPort?.postMessage(reply, given);
}

/** The numbers in a buffer of their own, which can be given away instead of copied. */
const owned = (numbers: Float64Array): Float64Array<ArrayBuffer> =>
  numbers.buffer instanceof ArrayBuffer && numbers.byteLength === numbers.buffer.byteLength
    ? (numbers as Float64Array<ArrayBuffer>)
    : numbers.slice();

let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: ThreadRequest) => {
  last = last.then(() => answer(request));
});
