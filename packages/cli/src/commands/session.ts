import { mkdirSync } from "node:fs";
import { createSystemClock } from "@flts/backends/system-clock";
import { createSystemRandom } from "@flts/backends/system-random";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import { shareCompiledCode } from "../compiled-code.ts";
import { inColumns } from "../pipeline/narrate.ts";
import { type LogFiles, openLogFiles } from "../supervisor/log-files.ts";
import type { LogLine } from "../supervisor/log-line.ts";
import { createSpawn } from "../supervisor/spawn.ts";
import { createSupervisor, type Supervisor } from "../supervisor/supervisor.ts";
import { duration } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";

/** What a command that runs services works with. */
export interface Session {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly logs: LogFiles;
  /** Aborts when the session ends before its work: whatever still waits shall give up. */
  readonly signal: AbortSignal;
}

export interface SessionListeners {
  readonly onLine: (name: string, line: LogLine) => void;
  /** A process died and is about to be started again. */
  readonly onRestart?: (name: string, reason: string) => void;
}

/**
 * Gives `work` a process tree whose logs lie in the home, and takes it down whatever happens. Resolves when `work` has ended, or `signal` has
 * ended it before.
 */
export async function withSession(
  home: string,
  output: Output,
  signal: AbortSignal,
  { onLine, onRestart }: SessionListeners,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  makeHome(home);
  shareCompiledCode();
  const clock = createSystemClock();
  const logs = openLogFiles(home);
  const supervisor = createSupervisor({
    spawn: createSpawn(process.env),
    clock,
    random: createSystemRandom(),
    onText: logs.write,
    onLine,
    onRestart(name, reason, delayMs) {
      output.say(inColumns(name, `died, starts again in ${duration(delayMs / 1000)} (${reason})`));
      onRestart?.(name, reason);
    },
  });
  const ending = new AbortController();
  const finished = work({ supervisor, clock, logs, signal: ending.signal });
  try {
    await Promise.race([finished, supervisor.fatal, whenAborted(signal)]);
  } catch (error) {
    if (!signal.aborted) throw error; // Stopping ends whatever still waited.
  } finally {
    ending.abort();
    await supervisor.stop();
    await finished.catch(() => undefined);
    await logs.close();
  }
}

/** @throws INPUT_MISSING when the folder cannot be made */
function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true });
  } catch (cause) {
    throw new FltsError(
      "INPUT_MISSING",
      `cannot make the state folder ${home} (${cause instanceof Error ? cause.message : String(cause)}): name another with --home`,
      cause,
    );
  }
}

/** Resolves when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
