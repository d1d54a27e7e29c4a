import type { Emission } from "../contracts/topic.ts";
import type { Clock } from "../ports/clock.ts";
import type { MessageLog } from "../ports/message-log.ts";
import { toMessage } from "../stage/runner.ts";

/** An object in the store that an event must have followed. */
export interface Marker {
  readonly id: string;
  /** The events that follow from it: the same each time. */
  readonly emissions: readonly Emission[];
  /** Whether the work went on without the event: nobody waits for it any more. Asked only when there is none. */
  readonly isServed: () => Promise<boolean>;
}

/** What a service knows of its own markers and events. */
export interface Ledgers {
  markers(): AsyncIterable<Marker>;
  /** Ids whose events are on the topic. */
  announced(): Promise<ReadonlySet<string>>;
}

export interface ReconcileDeps {
  readonly log: MessageLog;
  readonly clock: Clock;
  /** Between the two looks: whoever has just written a marker is about to publish. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
}

/**
 * Publishes what has its object but not its event, and returns the ids. Should retention overtake a message that was held, or a process die where nobody
 * repeats its work, the store is the truth (I5). A marker counts when it is without its event in two looks; one too many is no harm, because handling twice
 * equals handling once.
 */
export async function reconcile(ledgers: Ledgers, deps: ReconcileDeps): Promise<readonly string[]> {
  const { log, clock, settleMs, signal } = deps;
  const suspects = await findSilent(ledgers);
  if (suspects.size === 0) return [];
  await clock.sleep(settleMs, signal);
  if (signal.aborted) return [];
  const published: string[] = [];
  for (const [id, { emissions }] of await findSilent(ledgers)) {
    if (!suspects.has(id)) continue;
    await log.publish(emissions.map(toMessage));
    published.push(id);
  }
  return published;
}

async function findSilent({ markers, announced }: Ledgers): Promise<ReadonlyMap<string, Marker>> {
  const silent = new Map<string, Marker>();
  // Markers first: an event that comes between the two looks is seen.
  for await (const marker of markers()) silent.set(marker.id, marker);
  for (const id of await announced()) silent.delete(id);
  for (const [id, { isServed }] of silent) if (await isServed()) silent.delete(id);
  return silent;
}
