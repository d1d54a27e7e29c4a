import { createRequire } from "node:module";

/** What we know of kafkajs's own queue of the requests that wait for a connection. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const { prototype } = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as {
  readonly prototype: RequestQueue;
};
const schedule = prototype.scheduleCheckPendingRequests;

/**
 * kafkajs 2.2.4 looks for waiting requests a thousand times a second on every connection that was ever used: the timer that it sets after an answer is for a
 * moment in the past, fires at once, and sets the next. It costs an idle process 10 ms of CPU a second, and Node says once on the standard error that it corrects
 * such timers. Where nothing waits there is nothing to look for: whatever comes later sets the timer itself.
 */
export function calmRequestQueues(): void {
  prototype.scheduleCheckPendingRequests = scheduleWhereSomethingWaits;
}

function scheduleWhereSomethingWaits(this: RequestQueue): void {
  if (this.pending.length > 0) schedule.call(this);
}
