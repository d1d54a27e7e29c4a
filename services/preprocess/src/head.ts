import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { inferenceData, trainingData } from "@flts/common/contracts/events";
import { type Emission, emit } from "@flts/common/contracts/topic";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import { scalingSchema } from "@flts/common/scaler/scaling";
import { z } from "zod";

/**
 * `<name>.meta.json`: which table is the present one of a station, where it came from and how it was made. The reference's fields
 * (behaviour §3.1), with digests. The one mutable object of the stage: tables themselves never change.
 */
export const tableHead = z.looseObject({
  identifier: z.string(),
  source_bucket: z.string(),
  train_source_object: z.string(),
  test_source_object: z.string(),
  /** The canonical text of the settings, whose digest is `config_hash`. */
  config: z.string(),
  config_hash: z.string(),
  created_at: z.string(),
  scaler_type: z.string(),
  output_object: z.string(),
  row_count: z.number().int().nonnegative(),
  column_names: z.array(z.string()),

  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  round: z.string(),
  output_bucket: z.string(),
  size: z.number().int().nonnegative(),
  sha256: z.string(),
  train_source_sha256: z.string(),
  test_source_sha256: z.string(),
  /** Fitted on the train table, applied to both. */
  scaling: scalingSchema,
});
export type TableHead = z.infer<typeof tableHead>;

/** The present heads of a station, if both are there with the tables they name. A head that cannot be read is as good as none. */
export async function readHeads(
  store: ObjectStore,
  trainRef: ObjectRef,
  testRef: ObjectRef,
): Promise<{ readonly train: TableHead; readonly test: TableHead } | null> {
  const [train, test] = await Promise.all([readHead(store, trainRef), readHead(store, testRef)]);
  return train === null || test === null ? null : { train, test };
}

async function readHead(store: ObjectStore, ref: ObjectRef): Promise<TableHead | null> {
  const stored = await store.get(ref);
  if (stored === null) return null;
  const head = parseHead(stored.bytes);
  if (head === null) return null;
  const table = await store.head({ bucket: head.output_bucket, key: head.output_object });
  return table === null ? null : head;
}

function parseHead(bytes: Uint8Array): TableHead | null {
  try {
    return tableHead.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

/** The claims on a pair of tables: a function of their heads alone, so that sending them again sends the same. */
export function claimsOf(train: TableHead, test: TableHead): readonly Emission[] {
  const claim = (head: TableHead) => ({
    v: MESSAGE_VERSION,
    bucket: head.output_bucket,
    object: head.output_object,
    size: head.size,
    sha256: head.sha256,
    rows: head.row_count,
    config_hash: head.config_hash,
    identifier: head.identifier,
    round: head.round,
  });
  return [
    emit(trainingData, claim(train)),
    emit(inferenceData, {
      ...claim(test),
      object_key: test.output_object,
      operation: "post: test data" as const,
    }),
  ];
}
