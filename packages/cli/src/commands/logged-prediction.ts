import { loggedBatch, loggedForecast } from "@flts/common/contracts/inference-log";
import { buckets } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";

/** A forecast as inference logged it, as far as its lineage goes. */
export interface LoggedPrediction {
  /** Its `req_id` or, of a batch, its `prediction_hash`. */
  readonly id: string;
  readonly identifier: string;
  readonly runId: string;
  readonly epoch: number;
  /** Null in logs that do not say. */
  readonly replica: string | null;
  readonly timestamp: string;
  /** The object that holds the line. */
  readonly object: string;
}

/** Finds a forecast in the logs, by the `req_id` of its answer or by its `prediction_hash`; null when no log has it. The latest days are looked at first. */
export async function findPrediction(id: string, store: ObjectStore): Promise<LoggedPrediction | null> {
  const logs: { readonly object: string; readonly day: string }[] = [];
  for await (const { key: object } of store.list(buckets.inferenceLogs, "")) {
    const day = LOG.exec(object)?.[1];
    if (day !== undefined) logs.push({ object, day });
  }
  for (const { object } of logs.toSorted((a, b) => b.day.localeCompare(a.day)))
    for await (const line of linesOf(object, store)) {
      if (!line.includes(id)) continue;
      const found = predictionIn(line);
      if (found?.id === id) return { ...found, object };
    }
  return null;
}

/** `<station>/<day>/results.jsonl`, and the parts of a day that is not over; what else lies in the bucket is no log. */
const LOG = /^[^_/][^/]*\/(\d{8})\/(?:results|parts\/[^/]+)\.jsonl$/;

const logged = z.discriminatedUnion("operation", [loggedForecast, loggedBatch]);

function predictionIn(line: string): Omit<LoggedPrediction, "object"> | null {
  const parsed = logged.safeParse(parseJson(line));
  if (!parsed.success) return null;
  const { data } = parsed;
  const { identifier, run_id: runId, epoch, replica = null, timestamp } = data;
  const id = data.operation === "Forecast" ? data.req_id : data.metrics.prediction_hash;
  return { id, identifier, runId, epoch, replica, timestamp };
}

/** The lines of an object of any size; none of one that is gone: a day's parts are gathered when it is over. */
async function* linesOf(object: string, store: ObjectStore): AsyncIterable<string> {
  const stored = await store.stream({ bucket: buckets.inferenceLogs, key: object });
  if (stored === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stored.chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
