import { candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { usageError } from "./exit-codes.ts";
import { isHead } from "./pipeline/outcome.ts";
import { readDocuments } from "./read-documents.ts";

/**
 * The run whose id is given whole or, as tables show it, by its beginning. What no run begins with comes back as it is: it may be something else's
 * name, and whoever uses it says so when it is nobody's.
 * @throws a fault of usage when several runs begin so
 */
export async function runMeant(text: string, store: ObjectStore): Promise<string> {
  if (!/^[0-9a-f]{1,31}$/.test(text)) return text;
  const place = { bucket: buckets.promotion, prefix: keys.candidates };
  const candidates = await readDocuments(store, place, candidateSchema);
  const runs = new Set(candidates.flatMap(({ run_id }) => (run_id?.startsWith(text) ? [run_id] : [])));
  const [only = text, ...more] = [...runs].toSorted();
  if (more.length === 0) return only;
  throw usageError(`${runs.size} runs begin with ${text}: ${[only, ...more].join(", ")}`);
}

/**
 * The station that is named or, where none is, the default one or else the only one that has a champion.
 * @throws a fault of usage when there are several to choose from
 */
export async function stationMeant(identifier: string, store: ObjectStore): Promise<string> {
  if (identifier !== "") return identifier;
  if ((await store.head({ bucket: buckets.promotion, key: keys.head("") })) !== null) return "";
  const stations: string[] = [];
  for await (const { key } of store.list(buckets.promotion, ""))
    if (isHead(key)) stations.push(key.slice(0, key.indexOf("/")));
  const [only = "", ...more] = stations.toSorted();
  if (more.length === 0) return only;
  throw usageError(
    `there are several stations: choose with --identifier among ${[only, ...more].join(", ")}`,
  );
}
