import type { Clock } from "@flts/common/ports/clock";
import { HttpError } from "@flts/common/service/http";
import type { Caller } from "../compute/batch-queue.ts";
import type { ComputeStats } from "../compute/compute.ts";

/**
 * Bounds the work in hand by the time it will take, and not by how much of it there is: ten thousand short forecasts may be less than ten long ones.
 *
 * - A1 What would have to wait longer than it may for the work of others is refused at once, and told when to come back.
 * - A2 What was let in and is not done by its deadline is told so then, and no more is computed for it.
 */
export interface Admission {
  /** Does the work, if it may come in. @throws HttpError 429 (A1), 504 (A2), and what the work throws */
  run<T>(arrival: Arrival, work: (job: Job) => Promise<T>): Promise<T>;
  /** Refuses one that would not come in, before anybody has read what it asks for. @throws HttpError 429 (A1) */
  check(patience: Patience): void;
  stats(): AdmissionStats;
  stop(): Promise<void>;
}

export interface Patience {
  /** How long the client waits for its answer; null where it does not say. */
  readonly timeoutMs: number | null;
  /** Longest that such a request may take, where that is another time than for most. */
  readonly limitMs?: number;
}

export interface Arrival extends Patience {
  /** Whether it is still there. */
  readonly isPresent: () => boolean;
}

/** A request that was let in: for whom is computed. */
export interface Job extends Caller {
  /** Says how many windows will be computed for it. */
  expect(windows: number): void;
}

export interface AdmissionStats {
  /** Requests that were let in and are not done. */
  readonly pending: number;
  /** Those of them for which nothing was computed yet. */
  readonly waiting: number;
  readonly admitted: number;
  readonly refused: number;
  readonly timedOut: number;
  readonly completed: number;
  readonly totalWaitMs: number;
  readonly lastWaitMs: number;
  readonly lastDurationMs: number;
  /** How long a request that comes now would wait for the work of others. */
  readonly predictedWaitMs: number;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  /** What computing costs now, and on how many threads. */
  readonly compute: () => Pick<ComputeStats, "msPerWindow" | "threads">;
  /** Requests let in at once, whatever they cost: a bound on memory. */
  readonly maxPending: number;
  /** Longest wait for the work of others. */
  readonly maxWaitMs: number;
  /** Longest that a request may take that brings no limit of its own. */
  readonly timeoutMs: number;
  /** Told how long each request waited until its first window was computed. */
  readonly onWait: (waitMs: number) => void;
}

/** Deadlines are looked at so often. */
const SWEEP_MS = 10;
/** nginx's status for a client that went away. */
const CLIENT_GONE = 499;

export function createAdmission(options: AdmissionOptions): Admission {
  const { clock, compute, maxPending, maxWaitMs, timeoutMs, onWait } = options;
  const tickets = new Set<Ticket>();
  const stopping = new AbortController();
  let sweeping: Promise<void> | null = null;
  /** Windows that are yet to be computed, of all that were let in. */
  let owed = 0;
  const counts = { waiting: 0, admitted: 0, refused: 0, timedOut: 0, completed: 0 };
  const times = { totalWaitMs: 0, lastWaitMs: 0, lastDurationMs: 0 };

  function predictedWaitMs(): number {
    const { msPerWindow, threads } = compute();
    return (owed * msPerWindow) / Math.max(1, threads);
  }

  const patienceOf = ({ timeoutMs: asked, limitMs = timeoutMs }: Patience): number =>
    Math.min(asked ?? limitMs, limitMs);

  function check(patience: Patience): void {
    const waitMs = predictedWaitMs();
    if (tickets.size < maxPending && waitMs <= Math.min(maxWaitMs, patienceOf(patience))) return;
    counts.refused += 1;
    throw new HttpError(429, "Server busy, try again", { "retry-after": retryAfter(waitMs, maxWaitMs) }); // A1
  }

  function letIn(arrival: Arrival): Ticket {
    check(arrival);
    const { isPresent } = arrival;
    counts.admitted += 1;
    counts.waiting += 1;
    const sinceMs = clock.monotonicMs();
    const ticket: Ticket = {
      sinceMs,
      deadlineMs: sinceMs + patienceOf(arrival),
      isPresent,
      owed: 0,
      state: "waiting",
      timeOut: () => {},
    };
    tickets.add(ticket);
    sweeping ??= sweep();
    return ticket;
  }

  const jobOf = (ticket: Ticket): Job => ({
    expect(windows) {
      ticket.owed += windows;
      owed += windows;
    },
    check() {
      if (ticket.state === "over") throw timedOut();
      if (!ticket.isPresent()) throw new HttpError(CLIENT_GONE, "The client closed the connection");
      if (ticket.state === "waiting") begin(ticket);
    },
    computed(windows) {
      if (ticket.state === "over") return;
      ticket.owed -= windows;
      owed -= windows;
    },
  });

  function begin(ticket: Ticket): void {
    ticket.state = "begun";
    counts.waiting -= 1;
    times.lastWaitMs = clock.monotonicMs() - ticket.sinceMs;
    times.totalWaitMs += times.lastWaitMs;
    onWait(times.lastWaitMs);
  }

  function leave(ticket: Ticket): void {
    if (ticket.state === "over") return;
    if (ticket.state === "waiting") counts.waiting -= 1;
    ticket.state = "over";
    tickets.delete(ticket);
    owed -= ticket.owed;
    times.lastDurationMs = clock.monotonicMs() - ticket.sinceMs;
  }

  async function attempt<T>(ticket: Ticket, work: (job: Job) => Promise<T>): Promise<T> {
    try {
      const result = await work(jobOf(ticket));
      if (ticket.state !== "over") counts.completed += 1;
      return result;
    } finally {
      leave(ticket);
    }
  }

  /** Runs while anybody is in: one timer for all deadlines. */
  async function sweep(): Promise<void> {
    while (tickets.size > 0 && !stopping.signal.aborted) {
      await clock.sleep(SWEEP_MS, stopping.signal);
      const now = clock.monotonicMs();
      for (const ticket of tickets) {
        if (now < ticket.deadlineMs) continue;
        counts.timedOut += 1;
        leave(ticket);
        ticket.timeOut(); // A2
      }
    }
    sweeping = null;
  }

  return {
    check,
    run: (arrival, work) =>
      new Promise((resolve, reject) => {
        const ticket = letIn(arrival);
        ticket.timeOut = () => reject(timedOut());
        void attempt(ticket, work).then(resolve, reject);
      }),
    stats: () => ({ pending: tickets.size, ...counts, ...times, predictedWaitMs: predictedWaitMs() }),
    async stop() {
      stopping.abort();
      await sweeping;
    },
  };
}

interface Ticket {
  readonly sinceMs: number;
  readonly deadlineMs: number;
  readonly isPresent: () => boolean;
  /** Windows that are yet to be computed for it. */
  owed: number;
  state: "waiting" | "begun" | "over";
  timeOut: () => void;
}

const timedOut = (): HttpError => new HttpError(504, "Inference timed out");

/** Whole seconds until the wait will have fallen to what may be. */
const retryAfter = (waitMs: number, maxWaitMs: number): string =>
  String(Math.max(1, Math.ceil((waitMs - maxWaitMs) / 1000)));
