import type { ErrorCode } from "@flts/common/contracts/errors";
import type { StoredMessage } from "@flts/common/ports/message-log";
import type { LogEngine } from "./log-engine.ts";
import type { HoldingKey } from "./log-member.ts";
import type { Retention } from "./log-records.ts";

/** What the port's thread may ask of the worker's engine. */
export type LogCalls = Pick<
  LogEngine,
  | "ensureTopics"
  | "publish"
  | "join"
  | "drain"
  | "leave"
  | "commit"
  | "settle"
  | "lag"
  | "page"
  | "members"
  | "seekGroup"
  | "removeGroup"
> & {
  ping(): void;
  /** Closes the file; the worker ends. */
  close(): void;
};

export type CallName = keyof LogCalls;

export interface LogRequest {
  readonly id: number;
  readonly name: CallName;
  readonly args: readonly unknown[];
}

export type LogNotice =
  | { readonly kind: "answer"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure }
  | {
      readonly kind: "delivery";
      readonly member: string;
      readonly holding: HoldingKey;
      readonly message: StoredMessage;
    }
  | { readonly kind: "lost"; readonly member: string; readonly holding: HoldingKey }
  /** The worker cannot go on with the file, and ends. */
  | { readonly kind: "end"; readonly failure: Failure }
  /** The file has just been read and written; how many partitions each member owns. */
  | { readonly kind: "alive"; readonly holdings: ReadonlyMap<string, number> };

/** An error on its way between threads. */
export interface Failure {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly stack: string;
}

export interface LogWorkerSettings {
  readonly file: string;
  readonly leaseMs: number;
  readonly retention: Retention;
}
