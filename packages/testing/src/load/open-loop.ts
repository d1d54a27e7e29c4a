import { type Connection, openConnection, type Reply } from "./connection.ts";
import { createRecorder, type LoadSummary } from "./outcome.ts";
import type { LoadTarget } from "./target.ts";

export interface OpenLoop extends LoadTarget {
  /** Arrivals per second on average, whatever becomes of them; at random, as independent clients arrive. */
  readonly rate: number;
  /** How long arrivals go on; infinity where the signal ends them. */
  readonly durationMs: number;
  readonly signal?: AbortSignal;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Open from before the first arrival to the end, as clients keep theirs. More arrivals than connections wait in the generator, and their waiting counts. */
  readonly connections?: number;
}

/** A sleeping generator looks at its schedule so often; an arrival it finds late is late on its account. */
const TICK_MS = 1;
/** How long after the last arrival answers are waited for. */
const PATIENCE_MS = 30_000;

/**
 * Requests arrive on a schedule that knows nothing of the answers (a Poisson process), and each latency counts from the moment its request was meant to start:
 * what a service does to those who wait is not left out.
 */
export async function runOpenLoop({
  host,
  port,
  requests,
  onReply,
  rate,
  durationMs,
  random,
  signal,
  connections = 256,
}: OpenLoop): Promise<LoadSummary> {
  const recorder = createRecorder();
  const all = Array.from({ length: connections }, () => openConnection(host, port));
  const idle = [...all];
  const backlog: number[] = [];
  await Promise.all(all.map((connection) => connection.open()));
  const begun = performance.now();
  let end = signal?.aborted === true ? begun : begun + durationMs;
  signal?.addEventListener("abort", () => {
    end = performance.now();
  });
  let arrival = begun;
  let next = 0;
  let underWay = 0;

  function send(connection: Connection, intended: number): void {
    const index = next++ % requests.length;
    underWay += 1;
    const lateMs = performance.now() - intended;
    connection.exchange(requests[index]!, (reply: Reply) => {
      underWay -= 1;
      recorder.record(reply.status, performance.now() - intended, lateMs);
      onReply?.(reply, index);
      const waiting = backlog.shift();
      if (waiting === undefined) idle.push(connection);
      else send(connection, waiting);
    });
  }

  return new Promise((resolve) => {
    const finish = (): void => {
      for (const connection of all) connection.close();
      for (let lost = underWay + backlog.length; lost > 0; lost--) recorder.record(0, PATIENCE_MS);
      resolve(recorder.summary((performance.now() - begun) / 1000));
    };
    const tick = (): void => {
      const now = performance.now();
      while (arrival <= now && arrival < end) {
        // In turn: one that never says anything is a slow client, and closed.
        const connection = idle.shift();
        if (connection === undefined) backlog.push(arrival);
        else send(connection, arrival);
        arrival += (-Math.log(1 - random()) * 1000) / rate;
      }
      if (arrival < end) setTimeout(tick, TICK_MS);
      else if (underWay + backlog.length > 0 && now < end + PATIENCE_MS) setTimeout(tick, TICK_MS);
      else finish();
    };
    tick();
  });
}
