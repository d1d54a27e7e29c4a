import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { FltsError } from "@flts/common/contracts/errors";
import type {
  CallName,
  Failure,
  LogCalls,
  LogNotice,
  LogRequest,
  LogWorkerSettings,
} from "./log-protocol.ts";

/** The worker of one embedded log, as its port's thread sees it. */
export interface LogClient {
  /** @throws the engine's errors; LOG_UNAVAILABLE when the worker has ended */
  call<Name extends CallName>(
    name: Name,
    ...args: Parameters<LogCalls[Name]>
  ): Promise<ReturnType<LogCalls[Name]>>;
  /** Ends the worker; what was asked before is answered before. */
  close(): Promise<void>;
}

export interface LogClientEvents {
  onNotice(notice: Exclude<LogNotice, { kind: "answer" | "failure" | "end" }>): void;
  /** The worker has ended by itself. */
  onCrash(error: Error): void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the worker; resolves when it has opened the file. @throws LOG_FORBIDDEN, LOG_CORRUPT, LOG_UNAVAILABLE */
export async function startLogClient(
  settings: LogWorkerSettings,
  events: LogClientEvents,
): Promise<LogClient> {
  const url = new URL(`./log-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(url, { workerData: settings });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended: Error | null = null;
  let closing = false;

  const end = (reason: Error): void => {
    if (ended) return;
    ended = reason;
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
    if (!closing) events.onCrash(reason);
  };
  const take = (id: number): Waiting | null => {
    const call = waiting.get(id) ?? null;
    waiting.delete(id);
    return call;
  };
  worker.on("message", (notice: LogNotice) => {
    if (notice.kind === "answer") take(notice.id)?.resolve(notice.result);
    else if (notice.kind === "failure") take(notice.id)?.reject(errorOf(notice.failure));
    else if (notice.kind === "end") end(errorOf(notice.failure));
    else events.onNotice(notice);
  });
  worker.on("error", (error) =>
    end(new FltsError("LOG_UNAVAILABLE", `The embedded log's worker died: ${String(error)}`, error)),
  );
  worker.on("exit", () => end(new FltsError("LOG_UNAVAILABLE", "The embedded log is closed")));

  const client: LogClient = {
    call: (name, ...args) => {
      if (ended) return Promise.reject(ended);
      calls += 1;
      const request: LogRequest = { id: calls, name, args };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(request);
      return new Promise((resolve, reject) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the engine answers a call with that call's result
        waiting.set(request.id, { resolve: resolve as (result: unknown) => void, reject });
      });
    },
    close: async () => {
      if (ended) return;
      closing = true;
      const exited = new Promise((resolve) => worker.once("exit", resolve));
      await client.call("close");
      await exited;
    },
  };
  await client.call("ping");
  return client;
}

function errorOf({ code, message, stack }: Failure): Error {
  const error = code === null ? new Error(message) : new FltsError(code, message);
  error.stack = stack;
  return error;
}
