import { openClaim } from "@flts/common/claim-check/claim-check";
import type { Claim } from "@flts/common/contracts/claim";
import { FltsError } from "@flts/common/contracts/errors";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { invertScaling, scalingSchema } from "@flts/common/scaler/scaling";
import { readParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";

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
