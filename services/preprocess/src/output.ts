import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { DigestedClaim } from "@flts/common/claim-check/claim-check";
import { hasCode } from "@flts/common/contracts/errors";
import type { ObjectStore, PutOptions } from "@flts/common/ports/object-store";
import { createParquetEncoder, type ParquetMetadata, ROW_GROUP_ROWS } from "@flts/forecasting/table/parquet";
import type { Spill } from "./spill.ts";
import type { SpilledTable } from "./spilled-table.ts";

/**
 * Encodes a table row group by row group and stores it under a key that contains the digest of its bytes, as `storeClaimed` does with bytes in memory. The digest
 * is known only at the end: until then the bytes lie in the spill.
 * @throws STORE_UNAVAILABLE, OBJECT_TOO_LARGE when the spill is full
 */
export async function storeTable(
  store: ObjectStore,
  spill: Spill,
  table: SpilledTable,
  { name: file, bucket, keyOf, metadata }: StoredAs,
): Promise<DigestedClaim> {
  const hash = createHash("sha256");
  const add = (bytes: Uint8Array): void => {
    hash.update(bytes);
    spill.append(file, bytes);
  };
  const nullable = table.columns.map((column) => table.isNullable(column));
  const encoder = createParquetEncoder(table.columns, metadata, nullable);
  for (let start = 0; start < table.rows; start += ROW_GROUP_ROWS) {
    add(encoder.write(table.slice(start, Math.min(start + ROW_GROUP_ROWS, table.rows))));
    await setImmediate();
  }
  add(encoder.finish());
  const sha256 = hash.digest("hex");
  const object = keyOf(sha256);
  const put = (options?: PutOptions) =>
    store.put({ bucket, key: object }, asStream(spill.chunks(file)), options);
  try {
    await put({ condition: { ifNoneMatch: "*" } });
  } catch (error) {
    if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
    // The key names the content, so these are the same bytes. Written again they are young: a garbage collector leaves them until they are claimed.
    await put();
  }
  return { bucket, object, size: spill.sizeOf(file), sha256 };
}

export interface StoredAs {
  /** Of the bytes in the spill. */
  readonly name: string;
  readonly bucket: string;
  readonly keyOf: (digest: string) => string;
  readonly metadata: ParquetMetadata;
}

async function* asStream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
