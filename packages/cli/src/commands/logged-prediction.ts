import { buckets } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";

/** A forecast as inference logged it (behaviour §7.6), as far as its lineage goes. */
const record = z.looseObject({
  timestamp: z.union([z.string(), z.number()]).optional(),
  identifier: z.string().optional(),
  run_id: z.string(),
  epoch: z.number().optional(),
  replica: z.string().optional(),
  req_id: z.string().optional(),
});

export interface LoggedPrediction extends z.infer<typeof record> {
  /** The object that holds the line. */
  readonly object: string;
}

/** The logged forecast with that request id, or that prediction's digest; null when no log has it. */
export async function findPrediction(id: string, store: ObjectStore): Promise<LoggedPrediction | null> {
  const objects: string[] = [];
  for await (const { key } of store.list(buckets.inferenceLogs, "")) objects.push(key);
  // Folders are named by day: the latest forecasts are at the end.
  for (const object of objects.toReversed()) {
    const stored = await store.get({ bucket: buckets.inferenceLogs, key: object });
    const text = stored === null ? "" : new TextDecoder().decode(stored.bytes);
    for (const line of text.split("\n")) {
      if (!line.includes(id)) continue;
      const found = record.safeParse(parseJson(line));
      if (found.success && names(found.data, id)) return { ...found.data, object };
    }
  }
  return null;
}

function names({ req_id, ...rest }: z.infer<typeof record>, id: string): boolean {
  const { metrics } = z
    .looseObject({ metrics: z.looseObject({ prediction_hash: z.string() }) })
    .safeParse(rest).data ?? { metrics: null };
  return req_id === id || metrics?.prediction_hash === id;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
