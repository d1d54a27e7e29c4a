import { codeOf } from "../contracts/errors.ts";
import { type Emission, parseEvent } from "../contracts/topic.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  Consumer,
  ConsumerHealth,
  Delivery,
  MessageLog,
  OutgoingMessage,
} from "../ports/message-log.ts";
import type { Random } from "../ports/random.ts";
import { commit, giveUp } from "./conclude.ts";
import { hasExpired } from "./deadline.ts";
import { reasonOf } from "./reason.ts";
import type { HandleContext, Stage } from "./stage.ts";
import { type AttemptFacts, judge, type RetryPolicy, type StageVerdict } from "./verdict.ts";

/**
 * The shell every consumer runs in: parse → handle → publish → commit. Its invariants, cited by number where they bite:
 *
 * - I1 Publish before commit. A crash repeats work, never loses it.
 * - I2 Handling twice equals handling once. (The stages' side of the bargain.)
 * - I3 Order within a partition is kept: one delivery of a partition at a time.
 * - I4 Stopping is nobody's fault: after the signal aborts nothing is published, retried, dead-lettered or committed.
 * - I5 A retryable fault holds its message for as long as it lasts.
 * - I6 A dead letter is complete, and durable before the offset is committed.
 */

export interface StageEnvironment<Deps> {
  readonly log: MessageLog;
  readonly deps: Deps;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: RetryPolicy;
  readonly group: string;
  /** Where a new group begins. Default: earliest. */
  readonly from?: "earliest" | "latest";
  /** Most messages handled at once over all partitions. Default: one per partition. */
  readonly maxInFlight?: number;
  /** Told of every attempt, for the log and the metrics. */
  readonly report: (attempt: AttemptReport) => void;
  /** Told of an error that only an operator can mend, and of a consumer that died: the process should end. */
  readonly onFatal: (error: unknown) => void;
}

export interface AttemptReport {
  readonly stage: string;
  readonly delivery: Delivery;
  readonly verdict: StageVerdict;
  readonly attempt: number;
  /** Time from the first attempt's start to this one's end. */
  readonly heldMs: number;
  readonly error?: unknown;
}

export interface RunningStage {
  health(): ConsumerHealth;
  stop(): Promise<void>;
}

/** Joins the stage's group and handles its messages until stopped. */
export async function startStage<In, Deps>(
  stage: Stage<In, Deps>,
  environment: StageEnvironment<Deps>,
): Promise<RunningStage> {
  const consumer: Consumer = await environment.log.consume({
    group: environment.group,
    topics: [stage.consumes.name],
    from: environment.from ?? "earliest",
    ...(environment.maxInFlight === undefined ? {} : { maxInFlight: environment.maxInFlight }),
    onDelivery: (delivery) => settle(stage, delivery, environment),
    onCrash: environment.onFatal,
  });
  return { health: () => consumer.health(), stop: () => consumer.stop() };
}

/** Attempts one message until it is committed, dead-lettered, or no longer ours. */
export async function settle<In, Deps>(
  stage: Stage<In, Deps>,
  delivery: Delivery,
  environment: StageEnvironment<Deps>,
): Promise<void> {
  const { clock, random, policy } = environment;
  const inHand = { stage: stage.name, delivery, environment };
  const begun = clock.monotonicMs();
  const failures = new Map<string, Recurrence>();
  for (let attempt = 1; ; attempt++) {
    const outcome = hasExpired(delivery.headers, clock.now())
      ? expired
      : await attemptOnce(stage, delivery, attempt, environment);
    if (delivery.signal.aborted) return; // I4
    const now = clock.monotonicMs();
    const heldMs = now - begun;
    const verdict: StageVerdict =
      outcome.done ??
      judge(
        outcome.error,
        { attempt, jitter: random.next(), ...recur(failures, codeOf(outcome.error), now) },
        policy,
      );
    const { error } = outcome;
    environment.report({
      stage: stage.name,
      delivery,
      verdict,
      attempt,
      heldMs,
      ...(error === undefined ? {} : { error }),
    });
    switch (verdict.kind) {
      case "commit":
      case "expire":
        return commit(inHand);
      case "dead-letter":
        return giveUp(inHand, {
          error,
          attempts: attempt,
          farewell: () => farewellOf(stage, delivery, error, environment.deps),
        });
      case "crash":
        return environment.onFatal(error);
      case "retry":
        await clock.sleep(verdict.delayMs, delivery.signal);
        if (delivery.signal.aborted) return; // I4
    }
  }
}

/** Attempts at one message that failed with one code. */
interface Recurrence {
  readonly count: number;
  readonly firstMs: number;
}

/** Counts one more failure with that code. */
function recur(
  failures: Map<string, Recurrence>,
  code: string,
  now: number,
): Pick<AttemptFacts, "recurrences" | "recurringMs"> {
  const { count, firstMs } = failures.get(code) ?? { count: 0, firstMs: now };
  failures.set(code, { count: count + 1, firstMs });
  return { recurrences: count + 1, recurringMs: now - firstMs };
}

/** Why nothing is left to do, or the error. */
interface AttemptOutcome {
  readonly done?: StageVerdict;
  readonly error?: unknown;
}

const published: AttemptOutcome = { done: { kind: "commit" } };
const expired: AttemptOutcome = { done: { kind: "expire" } };

async function attemptOnce<In, Deps>(
  stage: Stage<In, Deps>,
  delivery: Delivery,
  attempt: number,
  { log, deps }: StageEnvironment<Deps>,
): Promise<AttemptOutcome> {
  try {
    const event = parseEvent(stage.consumes, delivery.value);
    const publish = async (emissions: readonly Emission[]): Promise<void> => {
      delivery.signal.throwIfAborted(); // I4
      await log.publish(emissions.map(toMessage));
    };
    const { signal, headers } = delivery;
    const context: HandleContext = { signal, headers, attempt, publish };
    await publish(await stage.handle(event, deps, context)); // I1
    return published;
  } catch (error) {
    return { error };
  }
}

/** What the rest of the pipeline must hear of a message that is given up. */
async function farewellOf<In, Deps>(
  stage: Stage<In, Deps>,
  delivery: Delivery,
  error: unknown,
  deps: Deps,
): Promise<readonly OutgoingMessage[]> {
  if (stage.giveUp === undefined) return [];
  let event: In;
  try {
    event = parseEvent(stage.consumes, delivery.value);
  } catch {
    return []; // The message itself is at fault: there is nobody to tell.
  }
  const failure = { code: codeOf(error), reason: reasonOf(error) };
  return (await stage.giveUp(event, failure, deps, delivery.headers)).map(toMessage);
}

/** An emission as the log carries it: JSON in UTF-8. */
export function toMessage({ topic, key, value, headers }: Emission): OutgoingMessage {
  return {
    topic,
    key,
    value: Buffer.from(JSON.stringify(value)),
    ...(headers === undefined ? {} : { headers }),
  };
}
