import { hasCode } from "../contracts/errors.ts";
import type { Delivery, OutgoingMessage } from "../ports/message-log.ts";
import { deadLetterOf } from "./dead-letter.ts";
import type { StageEnvironment } from "./runner.ts";
import { backOff, judge } from "./verdict.ts";

/** The two ends of a message, each tried for as long as it takes. Invariants are those of `runner.ts`. */

/** A message in the hands of a stage. */
export interface InHand {
  readonly stage: string;
  readonly delivery: Delivery;
  readonly environment: Pick<StageEnvironment<unknown>, "log" | "clock" | "random" | "policy" | "report">;
}

/** A commit refused because the partition moved on is a loss of ownership, not an error: the new owner repeats the work (I2). */
export function commit(inHand: InHand): Promise<void> {
  return persist(inHand, async () => {
    try {
      await inHand.delivery.commit();
    } catch (error) {
      if (!hasCode(error, "OWNERSHIP_LOST")) throw error;
    }
  });
}

/** Why a message is given up, and what the rest of the pipeline must hear of it. */
export interface GivingUp {
  readonly error: unknown;
  readonly attempts: number;
  readonly farewell: () => Promise<readonly OutgoingMessage[]>;
}

/** Writes the dead letter, however long that takes, and only then commits (I5, I6). */
export async function giveUp(inHand: InHand, { error, attempts, farewell }: GivingUp): Promise<void> {
  const { stage, delivery, environment } = inHand;
  const { log, clock, policy } = environment;
  let faults = 0;
  /** Why there is no farewell when there is none: a second fault must not keep the letter from being written. */
  const tryFarewell = async (): Promise<{ messages: readonly OutgoingMessage[]; untold?: unknown }> => {
    try {
      return { messages: await farewell() };
    } catch (untold) {
      faults += 1;
      const facts = { attempt: faults, recurrences: faults, recurringMs: 0, jitter: 0 };
      if (judge(untold, facts, policy).kind !== "dead-letter") throw untold;
      return { messages: [], untold };
    }
  };
  await persist(inHand, async () => {
    const { messages, untold } = await tryFarewell();
    delivery.signal.throwIfAborted(); // I4
    const letter = deadLetterOf({ stage, message: delivery, error, untold, attempts, now: clock.now() });
    await log.publish([...messages, letter]);
  });
  await commit(inHand);
}

/** Repeats `action` with back-off until it succeeds or the message is no longer ours. */
async function persist(
  { stage, delivery, environment: { clock, random, policy, report } }: InHand,
  action: () => Promise<void>,
): Promise<void> {
  const begun = clock.monotonicMs();
  for (let attempt = 1; !delivery.signal.aborted; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (delivery.signal.aborted) return; // I4
      const delayMs = backOff({ attempt, jitter: random.next() }, policy);
      const heldMs = clock.monotonicMs() - begun;
      report({ stage, delivery, verdict: { kind: "retry", delayMs }, attempt, heldMs, error });
      await clock.sleep(delayMs, delivery.signal);
    }
  }
}
