import { type DigestedClaim, openClaim } from "@flts/common/claim-check/claim-check";
import { readDocument } from "@flts/common/claim-check/documents";
import type { Claim } from "@flts/common/contracts/claim";
import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { invertScaling, scalingSchema } from "@flts/common/scaler/scaling";
import { readParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";
import { z } from "zod";

/** One of a station's two processed tables, as its head names it. */
export interface TableName {
  readonly bucket: string;
  readonly identifier: string;
  /** The last part of the table's key: `processed_data.parquet`, `test_processed_data.parquet`. */
  readonly objectName: string;
}

/** Of the head of a processed table, what it takes to open it. */
const processedHead = z.looseObject({
  output_bucket: z.string(),
  output_object: z.string(),
  size: z.number(),
  sha256: z.string(),
});

const TABLE_SUFFIX = ".parquet";

/** The claim on a station's present table. @throws OBJECT_MISSING before its first preprocessing, POINTER_INVALID, STORE_UNAVAILABLE */
export async function presentTableClaim(
  store: ObjectStore,
  { bucket, identifier, objectName }: TableName,
): Promise<DigestedClaim> {
  const key = keys.processedHead(identifier, objectName.replace(TABLE_SUFFIX, ""));
  const head = await readDocument(store, { bucket, key }, processedHead, "POINTER_INVALID");
  if (head === null)
    throw new FltsError(
      "OBJECT_MISSING",
      `there is no such processed table yet: bucket=${bucket}, key=${key}`,
    );
  const { output_bucket, output_object, size, sha256 } = head.document;
  return { bucket: output_bucket, object: output_object, size, sha256 };
}

export interface OpenTableOptions {
  /** The bucket that claims may name. */
  readonly bucket: string;
  readonly maxBytes: number;
}

/** The bytes of a claimed table, held to their digest. @throws what opening a claim throws */
export const openTable = (
  store: ObjectStore,
  claim: Pick<Claim, "bucket" | "object" | "sha256">,
  { bucket, maxBytes }: OpenTableOptions,
): Promise<Uint8Array> => openClaim(store, claim, { allowedBuckets: [bucket], maxBytes });

/** A processed table in raw units: its scaling, which it carries with it, is taken back. @throws TABLE_INVALID, COLUMN_MISSING */
export async function readProcessedTable(bytes: Uint8Array): Promise<Table> {
  const { table, metadata } = await readParquet(bytes);
  const scaling = scalingSchema.safeParse(parseJson(metadata["scaling"]));
  if (!scaling.success)
    throw new FltsError("TABLE_INVALID", "the processed table does not say how it was scaled");
  return createTable(table.timesMs, table.columns, invertScaling(scaling.data, table.columns, table.values));
}

function parseJson(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
