import { codeOf } from "@flts/common/contracts/errors";
import type { MessageLog, Subscription } from "@flts/common/ports/message-log";
import { abortOf } from "./abort-of.ts";
import type { PeerContext } from "./peer-main.ts";

export type ConsumeOrder = Pick<Subscription, "group" | "topics" | "from">;

export interface PublishOrder {
  readonly topic: string;
  readonly key: string;
  readonly count: number;
}

/** What other processes do with a log in the contract suite. */
export const logTasks = {
  /** Reports "joined", then handles and commits, and reports the text of each message. */
  "log/handle": async ({ port, input, report, signal }: PeerContext<MessageLog>) => {
    const consumer = await port.consume({
      ...(input as ConsumeOrder),
      onDelivery: async (delivery) => {
        await delivery.commit();
        report(Buffer.from(delivery.value).toString());
      },
      onCrash: report,
    });
    report("joined");
    await abortOf(signal);
    await consumer.stop();
  },
  /**
   * Reports "joined", then the text of each message, and holds it until its signal aborts; then reports what a commit
   * gives: "committed" or the error's code.
   */
  "log/hold": async ({ port, input, report, signal }: PeerContext<MessageLog>) => {
    const consumer = await port.consume({
      ...(input as ConsumeOrder),
      onDelivery: async (delivery) => {
        report(Buffer.from(delivery.value).toString());
        await abortOf(delivery.signal);
        report(await delivery.commit().then(() => "committed", codeOf));
      },
      onCrash: report,
    });
    report("joined");
    await abortOf(signal);
    await consumer.stop();
  },
  /** Publishes numbered messages with one key, one call each; reports when all are durable. */
  "log/publish": async ({ port, input, report }: PeerContext<MessageLog>) => {
    const { topic, key, count } = input as PublishOrder;
    for (let number = 0; number < count; number += 1) {
      await port.publish([{ topic, key, value: Buffer.from(`${key}-${number}`) }]);
    }
    report("published");
  },
  /** Publishes numbered messages until it is killed; reports each number that the log has confirmed. */
  "log/publish-on": async ({ port, input, report, signal }: PeerContext<MessageLog>) => {
    const { topic, key } = input as PublishOrder;
    for (let number = 0; !signal.aborted; number += 1) {
      await port.publish([{ topic, key, value: Buffer.from(String(number)) }]);
      report(number);
    }
  },
};
