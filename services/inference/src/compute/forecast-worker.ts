import { parentPort } from "node:worker_threads";
import { codeOf } from "@flts/common/contracts/errors";
import { createModelHost } from "./model-host.ts";
import type { RolledWindows, ThreadReply, ThreadRequest } from "./protocol.ts";

/** A thread that computes forecasts: onnxruntime blocks the thread that calls it, and this one has nobody else to listen to. */

const host = createModelHost();

async function answer(request: ThreadRequest): Promise<void> {
  let reply: ThreadReply;
  try {
    reply = { ok: true, ...(await host.handle(request)) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { ok: false, code: codeOf(error), message };
  }
  parentPort?.postMessage(reply, reply.ok && reply.rolled !== null ? buffersOf(reply.rolled) : []);
  if (request.kind === "end") parentPort?.close();
}

const buffersOf = ({ forecast, windows, endTimesMs }: RolledWindows): ArrayBuffer[] =>
  [forecast, windows, endTimesMs].flatMap((numbers) => (numbers === null ? [] : [numbers.buffer]));

let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: ThreadRequest) => {
  last = last.then(() => answer(request));
});
