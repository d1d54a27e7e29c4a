import { createManualClock, type ManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog, type MemoryLog } from "@flts/testing/memory-log";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { z } from "zod";
import { type ErrorCode, FltsError } from "../../src/contracts/errors.ts";
import { type Emission, emit, type Topic } from "../../src/contracts/topic.ts";
import type { MessageLog, OutgoingMessage, StoredMessage } from "../../src/ports/message-log.ts";
import { type DeadLetter, deadLetter, deadLetterTopic } from "../../src/stage/dead-letter.ts";
import {
  type AttemptReport,
  type RunningStage,
  type StageEnvironment,
  startStage,
} from "../../src/stage/runner.ts";
import type { Stage } from "../../src/stage/stage.ts";
import { defaultRetryPolicy } from "../../src/stage/verdict.ts";

/** A stage of two topics on a log in memory, with a hand on every publish and every commit. */

const order = z.looseObject({ v: z.literal(1).default(1), id: z.string() });
export type Order = z.infer<typeof order>;
export const orders: Topic<Order> = { name: "orders", schema: order, keyOf: ({ id }) => id };
export const receipts: Topic<Order> = { name: "receipts", schema: order, keyOf: ({ id }) => id };

export const receiptFor = ({ id }: Order): Emission => emit<Order>(receipts, { v: 1, id });

export type Handle = Stage<Order, null>["handle"];

export const HOUR_MS = 3_600_000;
export const outage = (): FltsError => new FltsError("STORE_UNAVAILABLE", "the store does not answer");

/** A handler that does its work, and one that does not. */
export const receipt: Handle = async (event) => [receiptFor(event)];
export const failing =
  (code: ErrorCode, message: string): Handle =>
  () =>
    Promise.reject(new FltsError(code, message));

export interface Workbench {
  readonly log: MemoryLog;
  readonly clock: ManualClock;
  readonly reports: AttemptReport[];
  readonly fatal: unknown[];
  /** What happens instead of a publish or a commit; `proceed` does the real thing. */
  readonly hands: {
    publish: (proceed: () => Promise<void>, messages: readonly OutgoingMessage[]) => Promise<void>;
    commit: (proceed: () => Promise<void>) => Promise<void>;
  };
  start(overrides?: Partial<StageEnvironment<null>>): Promise<RunningStage>;
  send(...ids: readonly string[]): Promise<void>;
  sendRaw(message: Omit<OutgoingMessage, "topic">): Promise<void>;
  received(): Promise<readonly string[]>;
  letters(): Promise<readonly DeadLetter[]>;
  /** Messages that the group has done, over all partitions. */
  committed(): Promise<number>;
}

export const GROUP = "workers";

export async function createWorkbench(
  stage: Pick<Stage<Order, null>, "handle" | "giveUp">,
  partitions = 1,
): Promise<Workbench> {
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  await log.ensureTopics(
    [orders.name, receipts.name, deadLetterTopic(orders.name)].map((name) => ({ name, partitions })),
  );
  const reports: AttemptReport[] = [];
  const fatal: unknown[] = [];
  const hands: Workbench["hands"] = {
    publish: (proceed) => proceed(),
    commit: (proceed) => proceed(),
  };
  return {
    log,
    clock,
    reports,
    fatal,
    hands,
    start: (overrides = {}) =>
      startStage(
        { name: "test", consumes: orders, ...stage },
        {
          log: handled(log, hands),
          deps: null,
          clock,
          random: createSeededRandom(7),
          policy: defaultRetryPolicy,
          group: GROUP,
          report: (report) => reports.push(report),
          onFatal: (error) => fatal.push(error),
          ...overrides,
        },
      ),
    send: (...ids) => log.publish(ids.map((id) => ({ topic: orders.name, key: id, value: encoded({ id }) }))),
    sendRaw: (message) => log.publish([{ topic: orders.name, ...message }]),
    received: async () =>
      (await messagesOf(log, receipts.name)).map(({ value }) => order.parse(decoded(value)).id),
    letters: async () =>
      (await messagesOf(log, deadLetterTopic(orders.name))).map(({ value }) =>
        deadLetter.parse(decoded(value)),
      ),
    committed: async () =>
      (await log.lag(GROUP, [orders.name])).reduce((sum, { committed }) => sum + Number(committed ?? 0n), 0),
  };
}

function handled(log: MessageLog, hands: Workbench["hands"]): MessageLog {
  return {
    ...log,
    publish: (messages) => hands.publish(() => log.publish(messages), messages),
    consume: (subscription) =>
      log.consume({
        ...subscription,
        onDelivery: (delivery) =>
          subscription.onDelivery({ ...delivery, commit: () => hands.commit(() => delivery.commit()) }),
      }),
  };
}

export const encoded = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

export const decoded = (value: Uint8Array): unknown => JSON.parse(Buffer.from(value).toString());

export async function messagesOf(log: MessageLog, topic: string): Promise<readonly StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const message of log.browse(topic)) messages.push(message);
  return messages;
}

/** A place where something waits until the test lets it go on. */
export interface Gate {
  /** Resolves when somebody has come to the gate. */
  readonly reached: Promise<void>;
  pass(): Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    pass: () => {
      reached.resolve();
      return opened.promise;
    },
    open: () => opened.resolve(),
  };
}
