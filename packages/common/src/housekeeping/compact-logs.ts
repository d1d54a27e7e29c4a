import { hasCode } from "../contracts/errors.ts";
import { sha256 } from "../contracts/identity.ts";
import type { ObjectStore } from "../ports/object-store.ts";

export interface CompactedDay {
  readonly key: string;
  readonly parts: number;
  readonly lines: number;
}

/**
 * Gathers the parts of each station's past days of inference logs into one object per day, and removes them. A day may be larger than memory: it is copied as a
 * stream, a part at a time. A part never changes, so the day's object holds it whole or not at all: a compaction that died before it removed its parts is done
 * again without harm. Parts that come late join the object next time.
 * @param today `YYYYMMDD`, UTC: this day and later ones are still written to
 * @throws STORE_UNAVAILABLE; the reason of `signal`
 */
export async function compactLogs(
  store: ObjectStore,
  bucket: string,
  today: string,
  signal: AbortSignal,
): Promise<readonly CompactedDay[]> {
  const days = new Map<string, string[]>();
  for await (const { key } of store.list(bucket, "")) {
    signal.throwIfAborted();
    const [, folder, day = ""] = PART.exec(key) ?? [];
    if (folder === undefined || day >= today) continue;
    const parts = days.get(folder) ?? [];
    parts.push(key);
    days.set(folder, parts);
  }
  const compacted: CompactedDay[] = [];
  for (const [folder, parts] of days) {
    const day = { store, bucket, key: `${folder}results.jsonl`, signal };
    const lines = await gather(day, parts);
    if (lines === null) continue;
    for (const part of parts) {
      signal.throwIfAborted();
      await store.remove({ bucket, key: part });
    }
    compacted.push({ key: day.key, parts: parts.length, lines });
  }
  return compacted;
}

/** `<station>/<day>/parts/<part>.jsonl` */
const PART = /^([^/]+\/(\d{8})\/)parts\/[^/]+\.jsonl$/;

interface Day {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** The number of lines that the day's object now has; null when somebody else wrote it meanwhile. */
async function gather(day: Day, parts: readonly string[]): Promise<number | null> {
  const { store, bucket, key } = day;
  const present = await store.head({ bucket, key });
  const held = present === null ? none : await heldParts(day, parts);
  const missing = parts.filter((part) => !held.has(part));
  let count = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const source of present === null ? missing : [key, ...missing])
      for await (const lines of linesOf(day, source)) {
        count += lines.length;
        yield Buffer.from(lines.map((line) => `${line}\n`).join(""));
      }
  }
  const condition = present === null ? ({ ifNoneMatch: "*" } as const) : { ifMatch: present.etag };
  try {
    await store.put({ bucket, key }, body(), { condition, contentType: "application/x-ndjson" });
    return count;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return null;
    throw error;
  }
}

const none: ReadonlySet<string> = new Set();

/** The parts that the day's object holds already: those whose first line is in it. */
async function heldParts(day: Day, parts: readonly string[]): Promise<ReadonlySet<string>> {
  const byFirstLine = new Map<string, string>();
  for (const part of parts)
    for await (const [first] of linesOf(day, part)) {
      if (first !== undefined) byFirstLine.set(sha256(first), part);
      break;
    }
  const held = new Set<string>();
  for await (const lines of linesOf(day, day.key))
    for (const line of lines) {
      const part = byFirstLine.get(sha256(line));
      if (part !== undefined) held.add(part);
    }
  return held;
}

/** The lines of an object, as many at a time as come; none of an object that is gone. */
async function* linesOf({ store, bucket, signal }: Day, key: string): AsyncGenerator<readonly string[]> {
  const stored = await store.stream({ bucket, key });
  if (stored === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stored.chunks) {
    signal.throwIfAborted();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    const whole = lines.filter((line) => line !== "");
    if (whole.length > 0) yield whole;
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
