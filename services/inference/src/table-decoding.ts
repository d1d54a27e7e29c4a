import { FltsError } from "@flts/common/contracts/errors";
import { invertScaling, scalingSchema } from "@flts/common/scaler/scaling";
import { readParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";

/** A processed table in raw units: its scaling, which it carries with it, is taken back. @throws TABLE_INVALID, COLUMN_MISSING */
export async function decodeTable(bytes: Uint8Array): Promise<Table> {
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
