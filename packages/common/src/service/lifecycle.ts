import type { Logger } from "./logger.ts";

/** How a process ends: in the reverse order of its start, once, within a time limit, with one exit code. */
export interface Lifecycle {
  /** Registers what to do at the end; the last registered is done first. */
  onStop(name: string, stop: () => Promise<void>): void;
  /** Stops everything and exits. Later calls change nothing: the first reason decides the code. */
  exit(code: number): void;
}

export interface LifecycleOptions {
  readonly log: Logger;
  readonly timeoutMs: number;
  /** Called first: the process shall no longer be ready. */
  readonly onStopping: () => void;
  /** A parent holds our standard input open for as long as it lives: its end is ours. */
  readonly endWithParent: boolean;
}

/** Ends the process with code 0 on SIGTERM and SIGINT, and with code 1 on an error that nobody caught. */
export function manageLifecycle({ log, timeoutMs, onStopping, endWithParent }: LifecycleOptions): Lifecycle {
  const stops: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  let stopping = false;

  const exit = (code: number): void => {
    if (stopping) return;
    stopping = true;
    onStopping();
    setTimeout(() => {
      log.error("service_crash", new Error(`did not stop within ${timeoutMs} ms`));
      process.exit(1);
    }, timeoutMs).unref();
    void stopInReverse().then((clean) => process.exit(clean ? code : Math.max(code, 1)));
  };

  const stopInReverse = async (): Promise<boolean> => {
    let clean = true;
    for (const { name, stop } of stops.toReversed()) {
      try {
        await stop();
      } catch (error) {
        clean = false;
        log.error("service_crash", error, { stopping: name });
      }
    }
    return clean;
  };

  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      if (!stopping) log.info("service_stop", { signal });
      exit(0);
    });
  if (endWithParent)
    process.stdin
      .on("error", () => exit(0))
      .on("close", () => exit(0))
      .resume();
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    process.on(event, (error: unknown) => {
      log.error("service_crash", error);
      exit(1);
    });
  return { onStop: (name, stop) => void stops.push({ name, stop }), exit };
}
