import { createHash } from "node:crypto";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { collect } from "../collect.ts";

export const text = (content: string): Uint8Array => Buffer.from(content);

export const read = (object: { readonly bytes: Uint8Array } | null): string | null =>
  object && Buffer.from(object.bytes).toString();

export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export const keysOf = async (store: ObjectStore, bucket: string, prefix = ""): Promise<readonly string[]> =>
  (await collect(store.list(bucket, prefix))).map(({ key }) => key);

export async function readStream(
  object: { readonly chunks: AsyncIterable<Uint8Array> } | null,
): Promise<string | null> {
  return object && Buffer.concat(await collect(object.chunks)).toString();
}

export async function* repeat(chunk: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let time = 0; time < times; time += 1) yield chunk;
}

export async function digestOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash("sha256");
  for await (const chunk of chunks) digest.update(chunk);
  return digest.digest("hex");
}
