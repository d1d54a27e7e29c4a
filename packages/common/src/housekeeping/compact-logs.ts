import { hasCode } from "../contracts/errors.ts";
import type { ObjectStore, StoredObject } from "../ports/object-store.ts";

export interface CompactedDay {
  readonly key: string;
  readonly parts: number;
  readonly lines: number;
}

/**
 * Gathers the parts of each station's past days of inference logs into one object per day, and removes them. A line that is there twice stays once, so that
 * a compaction that died before it removed its parts is done again without harm; parts that come late join the object next time.
 * @param today `YYYYMMDD`, UTC: this day and later ones are still written to
 * @throws STORE_UNAVAILABLE
 */
export async function compactLogs(
  store: ObjectStore,
  bucket: string,
  today: string,
  signal: AbortSignal,
): Promise<readonly CompactedDay[]> {
  const days = new Map<string, string[]>();
  for await (const { key } of store.list(bucket, "")) {
    const [, folder, day = ""] = PART.exec(key) ?? [];
    if (folder === undefined || day >= today) continue;
    const parts = days.get(folder) ?? [];
    parts.push(key);
    days.set(folder, parts);
  }
  const compacted: CompactedDay[] = [];
  for (const [folder, parts] of days) {
    signal.throwIfAborted();
    const key = `${folder}results.jsonl`;
    const lines = await gather(store, bucket, key, parts);
    if (lines === null) continue;
    for (const part of parts) await store.remove({ bucket, key: part });
    compacted.push({ key, parts: parts.length, lines });
  }
  return compacted;
}

/** `<station>/<day>/parts/<part>.jsonl` */
const PART = /^([^/]+\/(\d{8})\/)parts\/[^/]+\.jsonl$/;

/** The lines that the day's object now has; null when somebody else wrote it meanwhile. */
async function gather(
  store: ObjectStore,
  bucket: string,
  key: string,
  parts: readonly string[],
): Promise<number | null> {
  const present = await store.get({ bucket, key });
  const lines = new Set(linesOf(present));
  for (const part of parts)
    for (const line of linesOf(await store.get({ bucket, key: part }))) lines.add(line);
  const condition = present === null ? ({ ifNoneMatch: "*" } as const) : { ifMatch: present.etag };
  try {
    const body = Buffer.from([...lines].map((line) => `${line}\n`).join(""));
    await store.put({ bucket, key }, body, { condition, contentType: "application/x-ndjson" });
    return lines.size;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return null;
    throw error;
  }
}

const linesOf = (stored: StoredObject | null): readonly string[] =>
  stored === null
    ? []
    : new TextDecoder()
        .decode(stored.bytes)
        .split("\n")
        .filter((line) => line !== "");
