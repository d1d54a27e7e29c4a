import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { type DigestedClaim, openClaim } from "@flts/common/claim-check/claim-check";
import { readDocument } from "@flts/common/claim-check/documents";
import type { Claim } from "@flts/common/contracts/claim";
import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Table } from "@flts/forecasting/table/table";
import { z } from "zod";
import { decodeTable } from "./table-decoding.ts";
import type { DecodedTable } from "./table-worker.ts";

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

/** From here on decoding takes some milliseconds, and a thread of its own is worth its start: about five thousand rows. */
const APART_BYTES = 512 * 1024;

/** A processed table in raw units, decoded beside the thread that answers requests where it is large. @throws TABLE_INVALID, COLUMN_MISSING */
export const readProcessedTable = (bytes: Uint8Array): Promise<Table> =>
  bytes.length < APART_BYTES ? decodeTable(bytes) : decodeApart(bytes);

function decodeApart(bytes: Uint8Array): Promise<Table> {
  const url = new URL(`./table-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(url, { workerData: bytes });
  return new Promise((resolve, reject) => {
    worker.once("message", (decoded: DecodedTable) => {
      if ("table" in decoded) resolve(decoded.table);
      else if (decoded.code === "UNCLASSIFIED") reject(new Error(decoded.message));
      else reject(new FltsError(decoded.code, decoded.message));
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread that decodes a table has ended")));
  });
}
