import type { ErrorCode } from "@flts/common/contracts/errors";
import type { Manifest } from "@flts/families/manifest";
import type { Rolled } from "./batch-queue.ts";

/** What a thread is asked. It does one thing after another, and answers in the same order. */
export type ThreadRequest =
  | {
      readonly kind: "open";
      readonly model: number;
      readonly manifest: Manifest;
      readonly files: ReadonlyMap<string, Uint8Array>;
    }
  | {
      readonly kind: "predict";
      readonly model: number;
      /** `[n, window, columns]` */
      readonly windows: Float64Array<ArrayBuffer>;
      /** `[n]` */
      readonly endTimesMs: Float64Array<ArrayBuffer>;
      /** How often the model is asked, with its own answers fed back. */
      readonly blocks: number;
      /** Whether the windows are wanted back, moved on. */
      readonly goesOn: boolean;
    }
  | { readonly kind: "close"; readonly model: number }
  /** Closes everything; the thread ends. */
  | { readonly kind: "end" };

/** Forecasts in buffers that were given away with them. */
export interface RolledWindows extends Rolled {
  readonly forecast: Float64Array<ArrayBuffer>;
  readonly windows: Float64Array<ArrayBuffer> | null;
  readonly endTimesMs: Float64Array<ArrayBuffer> | null;
}

/** What a thread did. */
export interface Done {
  /** Of a prediction; null for the rest. */
  readonly rolled: RolledWindows | null;
  /** How long it took there, without the way there and back. */
  readonly durationMs: number;
}

export type ThreadReply =
  | ({ readonly ok: true } & Done)
  | { readonly ok: false; readonly code: ErrorCode | "UNCLASSIFIED"; readonly message: string };
