import { createHash } from "node:crypto";
import { FltsError } from "@flts/common/contracts/errors";
import { describeRef, type ObjectRef, type ObjectStore } from "@flts/common/ports/object-store";
import { createCsvReader } from "@flts/forecasting/table/csv";
import type { Table } from "@flts/forecasting/table/table";

/** The digest of an input file, read once as a stream. @throws INPUT_MISSING */
export async function digestOf(store: ObjectStore, ref: ObjectRef): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of await open(store, ref)) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * Parses an input file that was digested before.
 * @throws CSV_INVALID naming file, row and column; INPUT_MISSING; OBJECT_CONFLICT when the file has changed since it was digested
 */
export async function readCsv(store: ObjectStore, ref: ObjectRef, expectedDigest: string): Promise<Table> {
  const reader = createCsvReader({ file: ref.key });
  const hash = createHash("sha256");
  for await (const chunk of await open(store, ref)) {
    hash.update(chunk);
    reader.push(chunk);
  }
  if (hash.digest("hex") !== expectedDigest)
    throw new FltsError(
      "OBJECT_CONFLICT",
      `the file changed while it was read; run the job again: ${describeRef(ref)}`,
    );
  return reader.finish();
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
