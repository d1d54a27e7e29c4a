import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { FltsError } from "@flts/common/contracts/errors";
import { createModelHost } from "./model-host.ts";
import type { Done, ThreadReply, ThreadRequest } from "./protocol.ts";

/** A thread that computes forecasts, as the main thread sees it. */
export interface Thread {
  /** Resolves when the thread has done it. @throws its error; FORECASTER_CRASHED when it has ended */
  ask(request: ThreadRequest): Promise<Done>;
  /** Lets it finish what it was asked, and ends it. */
  close(): Promise<void>;
}

/** Starts a thread. `onCrash` is told when it ends by itself. */
export function startThread(onCrash: (error: Error) => void): Thread {
  const worker = new Worker(new URL(`./forecast-worker${extname(import.meta.url)}`, import.meta.url));
  const waiting: PromiseWithResolvers<Done>[] = [];
  let ended: FltsError | null = null;
  let closing = false;

  const end = (reason: FltsError): void => {
    if (ended !== null) return;
    ended = reason;
    for (const { reject } of waiting.splice(0)) reject(reason);
    if (!closing) onCrash(reason);
  };
  const exited = new Promise<void>((resolve) => {
    worker.on("exit", (code) => {
      end(crashed(`exit code ${code}`));
      resolve();
    });
  });
  worker.on("error", (error) => end(crashed(error)));
  worker.on("message", (reply: ThreadReply) => {
    const asked = waiting.shift();
    if (reply.ok) asked?.resolve(reply);
    else asked?.reject(errorOf(reply));
  });

  const ask = (request: ThreadRequest): Promise<Done> => {
    if (ended !== null) return Promise.reject(ended);
    const asked = Promise.withResolvers<Done>();
    waiting.push(asked);
    const given = request.kind === "predict" ? [request.windows.buffer, request.endTimesMs.buffer] : [];
    worker.postMessage(request, given);
    return asked.promise;
  };
  return {
    ask,
    async close() {
      closing = true;
      if (ended === null) await ask({ kind: "end" }).catch(() => null);
      await exited;
    },
  };
}

/** The thread that we are in, for what is sooner computed than handed over. */
export function thisThread(): Thread {
  const host = createModelHost();
  return { ask: host.handle, close: async () => void (await host.handle({ kind: "end" })) };
}

const errorOf = ({ code, message }: Extract<ThreadReply, { ok: false }>): Error =>
  code === "UNCLASSIFIED" ? new Error(message) : new FltsError(code, message);

const crashed = (cause: unknown): FltsError =>
  new FltsError("FORECASTER_CRASHED", "the thread that computes forecasts has ended", cause);
