import { FltsError } from "@flts/common/contracts/errors";
import type { Consumer, Delivery, StoredMessage, Subscription } from "@flts/common/ports/message-log";
import type { LogClient } from "./log-client.ts";
import type { HoldingKey } from "./log-member.ts";
import { partitionName } from "./partition.ts";

/** A member of a group on the port's thread: it runs the handlers, the engine decides which. */
export interface LogConsumer extends Consumer {
  join(): Promise<void>;
  onDelivery(holding: HoldingKey, message: StoredMessage): void;
  onLost(holding: HoldingKey): void;
  onHoldings(partitions: number): void;
  onCrash(error: unknown): void;
}

export interface LogConsumerContext {
  lastAliveAgoMs(): number;
  /** The consumer has left its group, or never entered it. */
  onGone(): void;
}

export function createLogConsumer(
  client: LogClient,
  member: string,
  subscription: Subscription,
  context: LogConsumerContext,
): LogConsumer {
  /** Deliveries in flight by the holding under which they were made. */
  const inFlight = new Map<string, { readonly abort: AbortController; readonly handled: Promise<void> }>();
  let state: "joined" | "stopping" | "gone" = "joined";
  let partitions = 0;
  let stopped: Promise<void> | null = null;

  const handle = async (holding: HoldingKey, message: StoredMessage, signal: AbortSignal): Promise<void> => {
    const name = partitionName(message.topic, message.partition);
    const delivery: Delivery = {
      ...message,
      signal,
      commit: async () => {
        const owned = state !== "gone" && (await client.call("commit", member, holding, message.offset + 1n));
        if (!owned) throw new FltsError("OWNERSHIP_LOST", `Partition ${name} has moved on`);
      },
    };
    try {
      await subscription.onDelivery(delivery);
    } catch (error) {
      crash(error);
    }
    inFlight.delete(holdingName(holding));
    if (state === "joined") await client.call("settle", member, holding).catch(crash);
  };

  const crash = (cause: unknown): void => {
    if (state !== "joined") return;
    stop().catch(() => null); // what matters is the first error
    subscription.onCrash(cause);
  };

  const stop = (): Promise<void> => {
    stopped ??= leave();
    return stopped;
  };

  const leave = async (): Promise<void> => {
    state = "stopping";
    try {
      for (const { abort } of inFlight.values()) abort.abort();
      await client.call("drain", member);
      await Promise.all([...inFlight.values()].map(({ handled }) => handled));
      await client.call("leave", member);
    } finally {
      state = "gone";
      context.onGone();
    }
  };

  return {
    join: () => {
      const { group, topics, from, maxInFlight = null } = subscription;
      return client.call("join", { id: member, group, topics, from, maxInFlight });
    },
    health: () => ({ joined: state === "joined", partitions, lastPollAgoMs: context.lastAliveAgoMs() }),
    stop,
    onDelivery: (holding, message) => {
      if (state !== "joined") return;
      const abort = new AbortController();
      const handled = Promise.resolve().then(() => handle(holding, message, abort.signal));
      inFlight.set(holdingName(holding), { abort, handled });
    },
    onLost: (holding) => inFlight.get(holdingName(holding))?.abort.abort(),
    onHoldings: (count) => {
      partitions = count;
    },
    onCrash: crash,
  };
}

const holdingName = ({ topic, partition, generation }: HoldingKey): string =>
  `${partitionName(topic, partition)}#${generation}`;
