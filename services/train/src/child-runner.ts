import { type ChildProcess, fork } from "node:child_process";
import { FltsError } from "@flts/common/contracts/errors";
import type { Progress } from "@flts/families/family";
import type { FittedModel } from "@flts/families/fit";
import { trainingEnvironment } from "@flts/neural/training/process-environment";
import type { FromChild, ToChild } from "./child-protocol.ts";

export interface ChildLimits {
  /** A child that sends nothing for so long is ended. */
  readonly silenceTimeoutMs: number;
  /** A child that holds more is ended. */
  readonly memoryMaxBytes: number;
}

export interface TrainingRun {
  readonly work: ToChild;
  readonly limits: ChildLimits;
  /** Of the trainer; the child's is made of it. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Trains in a process of its own and resolves with the fitted model.
 * @throws what the child says is wrong with the work; TRAINING_CRASHED when it dies, falls silent or outgrows its memory
 */
export function trainInChild({
  work,
  limits,
  environment,
  signal,
  onProgress,
}: TrainingRun): Promise<FittedModel> {
  if (signal.aborted) return Promise.reject(new FltsError("TRAINING_CRASHED", "stopped before it began"));
  const child = fork(childModule(), {
    serialization: "advanced",
    env: trainingEnvironment(environment),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(silence);
      signal.removeEventListener("abort", onAbort);
      child.removeAllListeners();
      endChild(child, settle);
    };
    const crash = (message: string, cause?: unknown): void =>
      end(() => reject(new FltsError("TRAINING_CRASHED", message, cause)));
    const onAbort = (): void => crash("training was stopped");
    const onSilence = (): void => crash(`training process was silent for ${limits.silenceTimeoutMs} ms`);
    let silence = setTimeout(onSilence, limits.silenceTimeoutMs);

    signal.addEventListener("abort", onAbort, { once: true });
    child.on("message", (message: FromChild) => {
      clearTimeout(silence);
      silence = setTimeout(onSilence, limits.silenceTimeoutMs);
      switch (message.kind) {
        case "done":
          return end(() => resolve(message.fitted));
        case "failed":
          return end(() => reject(failureOf(message)));
        case "progress":
          onProgress(message.progress);
          return checkMemory(message.residentBytes, limits.memoryMaxBytes, crash);
        case "beat":
          return checkMemory(message.residentBytes, limits.memoryMaxBytes, crash);
      }
    });
    child.on("error", (error) => crash("training process could not run", error));
    child.on("exit", (code, killedBy) => crash(`training process ended with ${killedBy ?? `code ${code}`}`));
    sendWork(child, work, crash);
  });
}

/** Ends the child, which holds nothing that needs saying good-bye to, and settles when it is gone: a trainer leaves no process behind. */
function endChild(child: ChildProcess, settle: () => void): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return settle();
  child.on("error", () => undefined); // It could not be signalled because it has just ended.
  child.once("exit", settle);
  child.kill("SIGKILL");
}

function sendWork(
  child: ChildProcess,
  work: ToChild,
  crash: (message: string, cause: unknown) => void,
): void {
  child.send(work, (error) => {
    if (error !== null) crash("training process did not take its work", error);
  });
}

function checkMemory(residentBytes: number, maxBytes: number, crash: (message: string) => void): void {
  if (residentBytes > maxBytes)
    crash(`training process holds ${residentBytes} bytes, at most ${maxBytes} are allowed`);
}

function failureOf({ code, message, stack }: Extract<FromChild, { kind: "failed" }>): Error {
  const error = code === "UNCLASSIFIED" ? new Error(message) : new FltsError(code, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** `child.ts` in development, `child.js` after a build. */
const childModule = (): URL =>
  new URL(import.meta.url.endsWith(".ts") ? "child.ts" : "child.js", import.meta.url);
