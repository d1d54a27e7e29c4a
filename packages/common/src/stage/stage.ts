import type { Emission, Topic } from "../contracts/topic.ts";

/**
 * One step of the pipeline: a plain function from an event to events. The shell around it (`runner.ts`) owns everything dangerous.
 * `handle` keeps no state, and handling an event twice must leave the world as handling it once does (I2).
 */
export interface Stage<In, Deps> {
  readonly name: string;
  readonly consumes: Topic<In>;
  /** The events to publish before the message is committed. Throws an FltsError that says who can mend it. */
  readonly handle: (event: In, deps: Deps, context: HandleContext) => Promise<readonly Emission[]>;
  /** What the rest of the pipeline must hear when a well-formed message is given up; published with its dead letter. */
  readonly giveUp?: (
    event: In,
    failure: Failure,
    deps: Deps,
    headers: MessageHeaders,
  ) => Promise<readonly Emission[]>;
}

export type MessageHeaders = Readonly<Record<string, string>>;

/** Why a message was given up. */
export interface Failure {
  /** A code of the error table, or `UNCLASSIFIED`. */
  readonly code: string;
  readonly reason: string;
}

export interface HandleContext {
  /** Aborts when the process stops or the partition moves: what comes after is nobody's fault (I4). */
  readonly signal: AbortSignal;
  readonly headers: MessageHeaders;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Publishes at once what cannot wait for the end, such as "training has started". */
  readonly publish: (emissions: readonly Emission[]) => Promise<void>;
}
