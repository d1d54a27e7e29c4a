import { createHash } from "node:crypto";
import { FltsError } from "@flts/common/contracts/errors";
import { describeRef, type ObjectRef, type ObjectStore } from "@flts/common/ports/object-store";
import { createCsvReader } from "@flts/forecasting/table/csv";
import type { SpilledTable } from "./spilled-table.ts";

/** The digest of an input file, read once as a stream. @throws INPUT_MISSING */
export async function digestOf(store: ObjectStore, ref: ObjectRef): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of await open(store, ref)) hash.update(chunk);
  return hash.digest("hex");
}

export interface CsvInput {
  readonly ref: ObjectRef;
  /** The file was digested before: the round is named by it. */
  readonly digest: string;
  /** Only this district's rows; all when empty. */
  readonly district: string;
}

/** So much of a file is read between two writes of rows. */
const BLOCK_BYTES = 4 * 1_048_576;

/**
 * Parses an input file into a table, block by block.
 * @throws CSV_INVALID naming file, row and column; INPUT_MISSING; OBJECT_CONFLICT when the file has changed since it was digested
 */
export async function readCsv(
  store: ObjectStore,
  { ref, digest, district }: CsvInput,
  table: Pick<SpilledTable, "putRows">,
): Promise<void> {
  const reader = createCsvReader({ file: ref.key, ...(district === "" ? {} : { district }) });
  const hash = createHash("sha256");
  let pendingBytes = 0;
  for await (const chunk of await open(store, ref)) {
    hash.update(chunk);
    reader.push(chunk);
    pendingBytes += chunk.byteLength;
    if (pendingBytes < BLOCK_BYTES) continue;
    const rows = reader.take();
    if (rows !== undefined) table.putRows(rows);
    pendingBytes = 0;
  }
  if (hash.digest("hex") !== digest)
    throw new FltsError(
      "OBJECT_CONFLICT",
      `the file changed while it was read; run the job again: ${describeRef(ref)}`,
    );
  table.putRows(reader.finish());
}

async function open(store: ObjectStore, ref: ObjectRef): Promise<AsyncIterable<Uint8Array>> {
  const stream = await store.stream(ref);
  if (stream === null)
    throw new FltsError(
      "INPUT_MISSING",
      `no such input file: ${describeRef(ref)}. Upload it (POST /upload/${ref.bucket}/${ref.key} on the gateway), or set DATASET_NAME, TRAIN_FILE and TEST_FILE to files that are there`,
    );
  return stream.chunks;
}
