import { type ErrorCode, FltsError, kindOf } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import { type LogLine, parseLogLine, textField } from "./log-line.ts";
import type { ProcessExit, ProcessSpec, RunningProcess, Spawn } from "./spawn.ts";

/** Who hears what the processes say. */
export interface Listeners {
  /** Every line of every process, as it was written. */
  readonly onText: (name: string, text: string) => void;
  /** Those among them that are log lines. */
  readonly onLine: (name: string, line: LogLine) => void;
}

/** sysexits.h: configured wrongly. Starting again would end the same way. */
export const EX_CONFIG = 78;

/** A stopping service may take its own time limit (25 s by default) before it is killed. */
const STOP_TIMEOUT_MS = 30_000;

/** One life of a process, with what it said of its end. */
export interface ObservedProcess {
  readonly pid: number | undefined;
  readonly exited: Promise<ProcessExit>;
  /** Why it ended, in its own words where it found any. */
  failure(exit: ProcessExit): Error;
  /** Asks it to end, makes it end after a while, and resolves when it has. */
  end(clock: Clock): Promise<void>;
}

/** Starts a process and listens to it. */
export function observe(spawn: Spawn, spec: ProcessSpec, { onText, onLine }: Listeners): ObservedProcess {
  let lastError: LogLine | undefined;
  let lastText = "";
  const running = spawn(spec, (text) => {
    onText(spec.name, text);
    const line = parseLogLine(text);
    if (line === null) {
      // The first line that is an error is what the stack below it is about.
      if (lastText === "" || (/^\w*Error\b/.test(text) && !/^\w*Error\b/.test(lastText)))
        lastText = text.trim();
      return;
    }
    if (line.level === "error") lastError = line;
    onLine(spec.name, line);
  });
  return {
    pid: running.pid,
    exited: running.exited,
    failure: (exit) => failureOf(spec.name, exit, lastError, lastText),
    end: (clock) => endProcess(running, clock),
  };
}

function failureOf(name: string, exit: ProcessExit, line: LogLine | undefined, text: string): Error {
  const ending = exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
  const said = line === undefined ? text : (textField(line, "error") ?? text);
  const message = said === "" ? `${name} ${ending}` : `${name}: ${said}`;
  const code = exit.code === EX_CONFIG ? "CONFIG_INVALID" : knownCode(line);
  return code === undefined ? new Error(message) : new FltsError(code, message);
}

/** The code a line carries if it is one of our table. */
function knownCode(line: LogLine | undefined): ErrorCode | undefined {
  const code = line === undefined ? undefined : (textField(line, "code") as ErrorCode | undefined);
  return code !== undefined && kindOf(code) !== undefined ? code : undefined;
}

async function endProcess(running: RunningProcess, clock: Clock): Promise<void> {
  const ended = new AbortController();
  const killOverdue = async (): Promise<void> => {
    await clock.sleep(STOP_TIMEOUT_MS, ended.signal);
    if (!ended.signal.aborted) running.kill("SIGKILL");
  };
  running.kill("SIGTERM");
  const overdue = killOverdue();
  await running.exited;
  ended.abort();
  await overdue;
}
