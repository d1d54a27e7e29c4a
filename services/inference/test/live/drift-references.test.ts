import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { writeDocument } from "@flts/common/claim-check/documents";
import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { mapColumns } from "@flts/forecasting/table/table";
import { collect } from "@flts/testing/contract/collect";
import { withFaults } from "@flts/testing/faults";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, it } from "vitest";
import { createDriftReferences } from "../../src/live/drift-references.ts";
import { readProcessedTable } from "../../src/processed-table.ts";
import { recordingLog } from "../fakes.ts";
import { createStation } from "../station.ts";

const station = createStation();
const bucket = "processed-data";

async function createWorld() {
  const store = withFaults<ObjectStore>(createMemoryStore());
  await store.port.ensureBucket(bucket);
  const { log, events } = recordingLog();
  const references = createDriftReferences({
    store: store.port,
    log,
    bucket,
    objectName: "processed_data.parquet",
    maxBytes: 2 ** 30,
  });
  /** As preprocess leaves the training table of a station. */
  async function storeTrainTable(identifier = ""): Promise<void> {
    const keyOf = (digest: string): string => keys.processedTable(identifier, digest, "processed_data");
    const { object, size, sha256 } = await storeClaimed(store.port, bucket, keyOf, station.trainParquet);
    const head = { output_bucket: bucket, output_object: object, size, sha256 };
    await writeDocument(store.port, { bucket, key: keys.processedHead(identifier, "processed_data") }, head);
  }
  return { store, references, storeTrainTable, events };
}

it("measures the named columns against the station's training table", async () => {
  const { references, storeTrainTable } = await createWorld();
  await storeTrainTable();
  const trained = await readProcessedTable(station.trainParquet);
  const tripled = mapColumns(trained, (values, column) =>
    column === "down" ? values.map((value) => 3 * value) : values,
  );
  const drift = await references.driftOf("", tripled, ["down", "up"]);
  expect(drift["up"]).toBe(0);
  expect(drift["down"]).toBeGreaterThan(0.25);
});

it("reads a training table once", async () => {
  const { store, references, storeTrainTable } = await createWorld();
  await storeTrainTable();
  const table = await readProcessedTable(station.trainParquet);
  const first = await references.driftOf("", table, ["down"]);
  const [head] = await collect(store.port.list(bucket, ""));
  await store.port.remove({ bucket, key: head?.key ?? "" });
  expect(await references.driftOf("", table, ["down"])).toEqual(first);
});

it("keeps no forecast waiting: without a training table, or with one that cannot be read, there is nothing to tell", async () => {
  const { store, references, storeTrainTable, events } = await createWorld();
  const table = await readProcessedTable(station.testParquet);
  expect(await references.driftOf("", table, ["down"])).toEqual({});
  await storeTrainTable();
  store.failNext("get", new FltsError("STORE_UNAVAILABLE", "refused"));
  expect(await references.driftOf("", table, ["down"])).toEqual({});
  expect(events()).toEqual(["drift_reference_fail", "drift_reference_fail"]);
  expect(Object.keys(await references.driftOf("", table, ["down"]))).toEqual(["down"]);
});
