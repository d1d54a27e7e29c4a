import { performanceEval } from "@flts/common/contracts/events";
import { buckets } from "@flts/common/contracts/layout";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { stationCsv } from "../e2e/flts.ts";
import { audit, headOf } from "./audit.ts";
import { placesOf } from "./places.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/** A replica of inference is killed, and started where nothing answers: it serves the champion all the same (P6). */

let site: ServerSite;
let station: string;
let replica: Supervised;
beforeAll(async () => {
  site = await openServerSite();
  station = site.station();
  site.supervise("train");
  site.supervise("eval");
  replica = site.supervise("inference", { IDENTIFIER: station, POD_NAME: station }, [
    ...placesOf("inference"),
    ...placesOf("batch"),
  ]);
  await site.upload(station);
}, 240_000);
afterAll(() => site?.close(), 60_000);

/** The run that a replica answers with, or what it says instead. */
async function servedBy(one: Supervised): Promise<unknown> {
  const { url } = await one.ready();
  const answer = await fetch(`${String(url)}/predict?inference_length=1`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ data: rows }),
  });
  const body = (await answer.json()) as { readonly run_id?: string };
  return body.run_id ?? body;
}

/** Rows as a client sends them: an array for each column. */
const rows = (() => {
  const [header = "", ...lines] = stationCsv(40, 700).trim().split("\n");
  const columns = header.split(",").map((name, index) => {
    const cells = lines.map((line) => line.split(",")[index] ?? "");
    return [name, index === 0 ? cells : cells.map((cell) => (cell === "" ? null : Number(cell)))] as const;
  });
  return Object.fromEntries(columns);
})();

async function promote(): Promise<string> {
  expect(await site.preprocess(station)).toBe(0);
  await site.settled([station]);
  return (await headOf(site.backends, station))!.run_id;
}

test.each(placesOf("inference"))("killed %s, it comes back with the champion", async (place) => {
  onTestFailed(() => {
    for (const line of replica.lines().slice(-60)) console.error(line);
  });
  await replica.arm(place);
  const champion = await promote();
  await replica.reached();
  await expect.poll(() => servedBy(replica), { timeout: 60_000, interval: 250 }).toBe(champion);
  await audit(site.backends, [station]);
});

/** What the log and the store hold of a station's batch forecasts. */
async function forecastsOf(of: string): Promise<{ readonly records: number; readonly told: number }> {
  const { log, store } = site.backends;
  let records = 0;
  for await (const { key } of store.list(buckets.inferenceLogs, `${of}/`))
    if (key.includes("/batch-")) records += 1;
  const told = new Set<string>();
  for await (const { value } of log.browse(performanceEval.name)) {
    const event = JSON.parse(new TextDecoder().decode(value)) as Record<string, unknown>;
    if (event["identifier"] === of) told.add(String(event["prediction_hash"]));
  }
  return { records, told: told.size };
}

test.each(placesOf("batch"))("killed %s, it forecasts a claimed table once", async (place) => {
  onTestFailed(() => {
    for (const line of replica.lines().slice(-60)) console.error(line);
  });
  const fresh = site.station();
  await site.upload(fresh);
  await replica.arm(place);
  expect(await site.preprocess(fresh)).toBe(0);
  await site.settled([fresh]);
  await replica.reached();
  const forecasts = { timeout: 90_000, interval: 500 };
  await expect.poll(() => forecastsOf(fresh), forecasts).toEqual({ records: 1, told: 1 });
});

test("started while Kafka, the store and MLflow are away, it serves the champion that it has kept", async () => {
  const champion = await promote();
  await expect.poll(() => servedBy(replica), { timeout: 60_000, interval: 250 }).toBe(champion);
  const alone = site.supervise("inference", {
    IDENTIFIER: station,
    POD_NAME: `${station}-alone`,
    KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:9",
    S3_ENDPOINT: "http://127.0.0.1:9",
    MLFLOW_TRACKING_URI: "http://127.0.0.1:9",
  });
  onTestFailed(() => {
    for (const line of alone.lines()) console.error(line);
  });
  await expect.poll(() => servedBy(alone), { timeout: 60_000, interval: 250 }).toBe(champion);
  expect(alone.crashes).toEqual([]);
});
