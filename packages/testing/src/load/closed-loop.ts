import { openConnection, type Reply } from "./connection.ts";
import { createRecorder, type LoadSummary } from "./outcome.ts";
import type { LoadTarget } from "./target.ts";

export interface ClosedLoop extends LoadTarget {
  /** Each asks again as soon as it was answered. */
  readonly users: number;
  readonly durationMs: number;
}

/**
 * As many users as one says, each with one request under way at any time. It finds a service's capacity; its latencies flatter an overloaded one, because users
 * who wait ask less.
 */
export function runClosedLoop({
  host,
  port,
  requests,
  users,
  durationMs,
  onReply,
}: ClosedLoop): Promise<LoadSummary> {
  const recorder = createRecorder();
  const begun = performance.now();
  const end = begun + durationMs;
  let next = 0;

  const live = (done: () => void): void => {
    const connection = openConnection(host, port);
    let sent = 0;
    let index = 0;
    const ask = (): void => {
      sent = performance.now();
      if (sent >= end) {
        connection.close();
        return done();
      }
      index = next++ % requests.length;
      connection.exchange(requests[index]!, take);
    };
    const take = (reply: Reply): void => {
      recorder.record(reply.status, performance.now() - sent);
      onReply?.(reply, index);
      // A connection that is refused at once must not become a busy loop.
      if (reply.status === 0) setTimeout(ask, 10);
      else ask();
    };
    ask();
  };
  const all = Array.from({ length: users }, () => new Promise<void>(live));
  return Promise.all(all).then(() => recorder.summary((performance.now() - begun) / 1000));
}
