import { backendSettings, connectBackends } from "@flts/backends/connect";
import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { inferenceData, performanceEval } from "@flts/common/contracts/events";
import { loggedBatch, loggedForecast } from "@flts/common/contracts/inference-log";
import { buckets, keys } from "@flts/common/contracts/layout";
import { emit, parseEvent } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { toMessage } from "@flts/common/stage/runner";
import { stepOf } from "@flts/forecasting/preprocess/grid";
import { readParquet, writeParquet } from "@flts/forecasting/table/parquet";
import { rowCount } from "@flts/forecasting/table/table";
import { expect, test, vi } from "vitest";
import { type Cluster, replicas } from "./cluster.ts";

type Backends = Awaited<ReturnType<typeof connectBackends>>;

/**
 * What becomes of claimed test tables, of a pipeline whose champion is served.
 * @param environment where its backends are
 */
export function batchTests(
  cluster: () => Cluster,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const withBackends = async (work: (backends: Backends) => Promise<void>): Promise<void> => {
    const backends = await connectBackends(loadConfig(backendSettings, environment));
    try {
      await work(backends);
    } finally {
      await backends.close();
    }
  };

  test("the claimed test table is forecast once, logged and told of", async () => {
    await withBackends(async (backends) => {
      await vi.waitUntil(async () => (await told(backends)).length > 0, { timeout: 60_000, interval: 250 });
      const [event, ...others] = await told(backends);
      expect(others).toEqual([]);
      const [, record, ahead] = await linesIn(event?.log_object_key ?? "", backends);
      const { run_id, metrics } = loggedBatch.parse(record);
      expect([run_id, metrics.prediction_hash, metrics.rows_predicted]).toEqual([
        event?.run_id,
        event?.prediction_hash,
        event?.rows,
      ]);
      expect(metrics).toMatchObject({ overlap_rows: event?.rows });
      expect(loggedForecast.parse(ahead).steps).toHaveLength(10);
    });
  });

  test("rows that come later score the forecasts made before them, and both replicas show the result", async () => {
    await withBackends(async (backends) => {
      await claimLaterRows(backends);
      await vi.waitUntil(async () => (await told(backends)).length > 1, { timeout: 60_000, interval: 250 });
    });
    const services = cluster().services.filter(({ name }) => replicas.some((replica) => replica === name));
    for (const { ready } of services) {
      const url = `http://127.0.0.1:${Number((await ready)["metricsPort"])}/metrics`;
      await vi.waitUntil(
        async () => /^inference_live_rows\{.*\} 10$/m.test(await (await fetch(url)).text()),
        {
          timeout: 30_000,
          interval: 250,
        },
      );
      const text = await (await fetch(url)).text();
      for (const name of ["rmse", "mae", "coverage", "skill"])
        expect(text).toMatch(new RegExp(`^inference_live_${name}\\{identifier="default",target="down"`, "m"));
      expect(text).toMatch(/^inference_input_psi\{identifier="default",column="down"/m);
    }
  });
}

async function told({ log }: Backends) {
  const events = [];
  for await (const { value } of log.browse(performanceEval.name))
    events.push(parseEvent(performanceEval, value));
  return events;
}

async function linesIn(key: string, { store }: Backends): Promise<unknown[]> {
  const stored = await store.get({ bucket: buckets.inferenceLogs, key });
  const lines = new TextDecoder().decode(stored?.bytes).split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** Claims the test table once more, as if its rows had been measured right after it. */
async function claimLaterRows({ log, store }: Backends): Promise<void> {
  for await (const { value } of log.browse(inferenceData.name)) {
    const claim = parseEvent(inferenceData, value);
    const stored = await store.get({ bucket: claim.bucket, key: claim.object });
    const { table, metadata } = await readParquet(stored?.bytes ?? new Uint8Array());
    const laterMs = rowCount(table) * stepOf(table);
    const later = { ...table, timesMs: table.timesMs.map((timeMs) => timeMs + laterMs) };
    const bytes = writeParquet(later, metadata);
    const { object, size, sha256 } = await storeClaimed(store, claim.bucket, keyOf, bytes);
    await log.publish([
      toMessage(emit(inferenceData, { ...claim, object, object_key: object, size, sha256 })),
    ]);
    return;
  }
  throw new Error("nobody has claimed a test table");
}

const keyOf = (digest: string): string => keys.processedTable("", digest, "test_processed_data");
