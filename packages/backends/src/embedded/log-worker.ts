import { parentPort, workerData } from "node:worker_threads";
import { codeOf, FltsError } from "@flts/common/contracts/errors";
import { createSystemClock } from "../system-clock.ts";
import { openLogBell } from "./log-bell.ts";
import { beatsPerLease } from "./log-census.ts";
import { createLogEngine } from "./log-engine.ts";
import { openLogFile } from "./log-file.ts";
import type { Failure, LogNotice, LogRequest, LogWorkerSettings } from "./log-protocol.ts";
import { ownIdentity } from "./process-identity.ts";

/** Should the operating system not carry the sound of the bell, we look for changes this often. */
const lookEveryMs = 50;
const sweepEveryMs = 60_000;

const port = parentPort;
if (!port) throw new Error("log-worker.ts runs as a worker thread of sqlite-log.ts");
const notify = (notice: LogNotice): void => port.postMessage(notice);

try {
  run(workerData);
} catch (error) {
  notify({ kind: "end", failure: failureOf(error) });
}

function run(settings: LogWorkerSettings): void {
  const file = openLogFile(settings.file);
  const engine = createLogEngine(
    file,
    {
      onDelivery: (member, holding, message) => notify({ kind: "delivery", member, holding, message }),
      onLost: (member, holding) => notify({ kind: "lost", member, holding }),
      onChange: () => bell.ring(),
    },
    {
      leaseMs: settings.leaseMs,
      retention: settings.retention,
      clock: createSystemClock(),
      process: ownIdentity(),
    },
  );

  let seenData = file.dataVersion();
  const look = (): void => {
    const version = file.dataVersion();
    if (version === seenData) return;
    seenData = version;
    engine.wake();
  };
  const beat = (): void => {
    engine.beat();
    engine.wake();
    notify({ kind: "alive", holdings: engine.holdings() });
  };
  const sweep = (): void => {
    if (engine.sweep()) setImmediate(attempt, sweep);
  };
  /** A file that is busy just now is tried again in time; meanwhile the age of the last beat tells. */
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof FltsError && error.kind === "retryable") return;
      notify({ kind: "end", failure: failureOf(error) });
      close();
    }
  };

  const bell = openLogBell(`${settings.file}-bell`, () => attempt(look));
  const timers = [
    setInterval(attempt, lookEveryMs, look),
    setInterval(attempt, settings.leaseMs / beatsPerLease, beat),
    setInterval(attempt, sweepEveryMs, sweep),
  ];
  /** Nothing keeps the thread after this. */
  const close = (): void => {
    for (const timer of timers) clearInterval(timer);
    bell.close();
    file.close();
    port?.close();
  };

  const answer = ({ name, args }: LogRequest): unknown => {
    if (name === "ping") return beat();
    if (name === "close") return null;
    return Reflect.apply(engine[name], engine, args);
  };
  port?.on("message", (request: LogRequest) => {
    try {
      const result = answer(request);
      notify({ kind: "answer", id: request.id, result });
    } catch (error) {
      notify({ kind: "failure", id: request.id, failure: failureOf(error) });
    }
    if (request.name === "close") close();
    else attempt(engine.wake);
  });
  attempt(sweep);
}

function failureOf(error: unknown): Failure {
  const code = codeOf(error);
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  return { code: code === "UNCLASSIFIED" ? null : code, message, stack };
}
