import type { z } from "zod";
import { type ErrorCode, FltsError } from "../contracts/errors.ts";
import {
  describeRef,
  type ObjectInfo,
  type ObjectRef,
  type ObjectStore,
  type PutOptions,
} from "../ports/object-store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A JSON document as bytes: two blanks of indent, for the people who will open it. */
export const encodeDocument = (document: unknown): Uint8Array =>
  encoder.encode(`${JSON.stringify(document, null, 2)}\n`);

export interface StoredDocument<T> {
  readonly document: T;
  readonly etag: string;
}

/** Reads a JSON document and holds it to its schema; null when it is not there. @throws `invalid` when it is no such document */
export async function readDocument<T>(
  store: ObjectStore,
  ref: ObjectRef,
  schema: z.ZodType<T>,
  invalid: ErrorCode,
): Promise<StoredDocument<T> | null> {
  const stored = await store.get(ref);
  if (stored === null) return null;
  return { document: parseDocument(stored.bytes, ref, schema, invalid), etag: stored.etag };
}

function parseDocument<T>(bytes: Uint8Array, ref: ObjectRef, schema: z.ZodType<T>, invalid: ErrorCode): T {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new FltsError(invalid, `not a JSON document: ${describeRef(ref)}`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "document"}: ${issue.message}`,
  );
  throw new FltsError(invalid, `${faults.join("; ")}: ${describeRef(ref)}`);
}

/** Writes a JSON document. @throws OBJECT_CONFLICT when the condition does not hold */
export function writeDocument(
  store: ObjectStore,
  ref: ObjectRef,
  document: unknown,
  condition?: NonNullable<PutOptions["condition"]>,
): Promise<ObjectInfo> {
  return store.put(ref, encodeDocument(document), {
    contentType: "application/json",
    ...(condition === undefined ? {} : { condition }),
  });
}
