import type { DigestedClaim } from "@flts/common/claim-check/claim-check";
import { readDocument } from "@flts/common/claim-check/documents";
import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";

/** A station's processed test table, as its head names it. */
export interface TestTableName {
  readonly bucket: string;
  readonly identifier: string;
  /** The last part of the table's key. */
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

/** The claim on a station's present test table. @throws OBJECT_MISSING before its first preprocessing, POINTER_INVALID, STORE_UNAVAILABLE */
export async function testTableClaim(
  store: ObjectStore,
  { bucket, identifier, objectName }: TestTableName,
): Promise<DigestedClaim> {
  const key = keys.processedHead(identifier, objectName.replace(TABLE_SUFFIX, ""));
  const head = await readDocument(store, { bucket, key }, processedHead, "POINTER_INVALID");
  if (head === null)
    throw new FltsError(
      "OBJECT_MISSING",
      `there is no processed test table yet: bucket=${bucket}, key=${key}`,
    );
  const { output_bucket, output_object, size, sha256 } = head.document;
  return { bucket: output_bucket, object: output_object, size, sha256 };
}
