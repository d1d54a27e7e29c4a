import { readDocument, writeDocument } from "@flts/common/claim-check/documents";
import { hasCode } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import { dayOf } from "@flts/common/housekeeping/housekeeping";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";
import { linesOf } from "../live/kept-forecasts.ts";

/**
 * Makes each batch forecast one object of the log and one event, whoever forecasts it and however often.
 *
 * - F1 A forecast has a marker, created once: it says where its lines lie and when they were written, so that whoever does it again writes the same.
 * - F2 The marker says `published` after the event: a forecast that was told of is a duplicate, one that was not is finished.
 */
export interface BatchLog {
  /** Where the lines of this forecast lie, or shall lie. */
  begin(name: BatchName): Promise<BatchEntry>;
  /** Writes its lines, unless they are there. @returns the bytes written */
  write(entry: BatchEntry, lines: readonly object[]): Promise<number>;
  /** Its event was published. */
  finish(entry: BatchEntry): Promise<void>;
  /** Whether a forecast was told of. */
  isFinished(name: BatchName): Promise<boolean>;
}

export interface BatchName {
  readonly identifier: string;
  readonly runId: string;
  /** 16 hexadecimal digits. */
  readonly predictionHash: string;
}

const marker = z.looseObject({
  object_key: z.string(),
  /** ISO 8601, UTC: of the lines. */
  timestamp: z.string(),
  published: z.boolean(),
});

export interface BatchEntry {
  readonly ref: ObjectRef;
  readonly objectKey: string;
  readonly timestamp: string;
  readonly published: boolean;
}

export function createBatchLog(store: ObjectStore, bucket: string, clock: Clock): BatchLog {
  const refOf = ({ identifier, runId, predictionHash }: BatchName): ObjectRef => ({
    bucket,
    key: keys.batchForecast(identifier, runId, predictionHash),
  });

  async function find(ref: ObjectRef): Promise<BatchEntry | null> {
    const stored = await readDocument(store, ref, marker, "POINTER_INVALID");
    if (stored === null) return null;
    const { object_key: objectKey, timestamp, published } = stored.document;
    return { ref, objectKey, timestamp, published };
  }

  return {
    async begin(name) {
      const now = clock.now();
      const { identifier, runId, predictionHash } = name;
      const entry = {
        ref: refOf(name),
        objectKey: keys.inferenceLogPart(identifier, dayOf(now), `batch-${runId}-${predictionHash}`),
        timestamp: new Date(now).toISOString(),
        published: false,
      };
      await createOnly(() => writeDocument(store, entry.ref, encode(entry), { ifNoneMatch: "*" }));
      return (await find(entry.ref)) ?? entry; // F1
    },
    async write({ objectKey }, lines) {
      const bytes = linesOf(lines);
      const ref = { bucket, key: objectKey };
      const written = await createOnly(() =>
        store.put(ref, bytes, { condition: { ifNoneMatch: "*" }, contentType: "application/x-ndjson" }),
      );
      return written ? bytes.byteLength : 0;
    },
    finish: async (entry) => {
      await writeDocument(store, entry.ref, encode({ ...entry, published: true })); // F2
    },
    isFinished: async (name) => (await find(refOf(name)))?.published === true,
  };
}

const encode = ({ objectKey, timestamp, published }: Omit<BatchEntry, "ref">) => ({
  object_key: objectKey,
  timestamp,
  published,
});

/** Whether it was created: false where it was there. */
async function createOnly(put: () => Promise<unknown>): Promise<boolean> {
  try {
    await put();
    return true;
  } catch (error) {
    if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
    return false;
  }
}
