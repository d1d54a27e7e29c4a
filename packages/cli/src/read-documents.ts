import { readDocument } from "@flts/common/claim-check/documents";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { z } from "zod";

/** Every document of a bucket under a prefix whose key is wanted. */
export async function readDocuments<T>(
  store: ObjectStore,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  schema: z.ZodType<T>,
  wanted: (key: string) => boolean = () => true,
): Promise<readonly T[]> {
  const documents: T[] = [];
  for await (const { key } of store.list(bucket, prefix)) {
    if (!wanted(key)) continue;
    const stored = await readDocument(store, { bucket, key }, schema, "POINTER_INVALID");
    if (stored !== null) documents.push(stored.document);
  }
  return documents;
}
