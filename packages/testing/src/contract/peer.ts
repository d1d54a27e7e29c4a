import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** How another process opens the same backend: a module that exports `open(settings)`. */
export interface Opener {
  /** URL of the module. */
  readonly module: string;
  /** Given to `open`; plain data. */
  readonly settings: unknown;
}

/** A process of its own that carries out one named task on a backend. */
export interface Peer {
  /** The next thing the task reports. Fails when the process ends without another report. */
  report<Report>(): Promise<Report>;
  /** Tells the task to end; resolves when the process is gone. */
  end(): Promise<void>;
  /** Sends a signal; for SIGKILL, resolves when the process is gone. */
  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void>;
}

export interface PeerOrder {
  readonly opener: Opener;
  /** `store/…` or `log/…`, as in `peer-main.ts`. */
  readonly task: string;
  readonly input: unknown;
}

/** Starts a peer; its task begins at once. */
export function startPeer(order: PeerOrder): Peer {
  const child = fork(new URL("./peer-main.ts", import.meta.url), [], {
    execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const reports = inboxOf(child);
  const gone = once(child, "exit");
  child.send(order);
  return {
    report: <Report>() => reports.next() as Promise<Report>,
    end: async () => {
      if (child.connected) child.send("end");
      await gone;
    },
    signal: async (signal) => {
      child.kill(signal);
      if (signal === "SIGKILL") await gone;
    },
  };
}

function inboxOf(child: ChildProcess): { next(): Promise<unknown> } {
  const arrived: unknown[] = [];
  const waiting: { readonly take: (report: unknown) => void; readonly fail: (error: Error) => void }[] = [];
  let end: Error | null = null;
  child.on("message", (report) => {
    const first = waiting.shift();
    if (first) first.take(report);
    else arrived.push(report);
  });
  child.on("exit", (code, signal) => {
    end = new Error(`The peer has ended (code ${code}, signal ${signal}) without another report`);
    for (const { fail } of waiting.splice(0)) fail(end);
  });
  return {
    next: () =>
      new Promise((take, fail) => {
        if (arrived.length > 0) take(arrived.shift());
        else if (end) fail(end);
        else waiting.push({ take, fail });
      }),
  };
}
