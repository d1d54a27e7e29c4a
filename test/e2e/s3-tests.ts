import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { serversOf } from "./backends.ts";
import { type Cluster, CONFIG_HASH, trainers } from "./cluster.ts";
import { readMlflow } from "./read-mlflow.ts";
import { readS3, type S3Contents } from "./read-s3.ts";

const PROCESSED = "processed-data";
const DIGEST = /^[0-9a-f]{64}$/;

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Buckets and keys (reference behaviour §3). */
export function s3Tests(cluster: () => Cluster): void {
  describe("leaves in S3", () => {
    let store: S3Contents;
    beforeAll(async () => {
      store = await readS3(serversOf(process.env).s3);
    });

    test("the measurements as they were uploaded", async () => {
      expect(await store.keys("dataset")).toEqual([...cluster().dataset.keys()].toSorted());
      for (const [name, bytes] of cluster().dataset)
        expect(sha256(await store.bytes("dataset", name)), name).toBe(sha256(bytes));
    });

    test("the tables under the digests of their bytes, and heads that name them", async () => {
      const heads = ["processed_data", "test_processed_data"] as const;
      const tables: string[] = [];
      for (const name of heads) {
        const head = await store.json(PROCESSED, `${name}.meta.json`);
        expect(head).toMatchObject({
          identifier: "",
          source_bucket: "dataset",
          train_source_object: "PobleSec.csv",
          test_source_object: "PobleSec_test.csv",
          config: expect.any(String),
          config_hash: CONFIG_HASH,
          created_at: expect.stringMatching(/Z$/),
          scaler_type: "MinMaxScaler",
          column_names: expect.arrayContaining(["down", "up", "day_of_year_cos"]),
        });
        expect(sha256(new TextEncoder().encode(String(head["config"])))).toBe(CONFIG_HASH);
        const key = String(head["output_object"]);
        const [digest = "", file] = key.split("/");
        expect(digest).toMatch(DIGEST);
        expect(file).toBe(`${name}.parquet`);
        expect(sha256(await store.bytes(PROCESSED, key))).toBe(digest);
        tables.push(key);
      }
      expect(await store.keys(PROCESSED)).toEqual(
        [...tables, ...heads.map((name) => `${name}.meta.json`)].toSorted(),
      );
    });

    test("a candidate of each family, one decision, one epoch of history, the head and its copy", async () => {
      const keys = await store.keys("model-promotion");
      const places = keys.map((key) =>
        key.replace(/^(candidates|decisions)\/[0-9a-f]{64}\//, "$1/").replace(/[0-9a-f]{64}/g, "<digest>"),
      );
      expect(places).toEqual([
        // Eval's housekeeping has asked the store for its time.
        "_gc/time",
        // Each training's lease, given back.
        ...trainers.map(() => "_leases/<digest>.json"),
        ...trainers.map(({ family }) => `candidates/${family}/<digest>.json`),
        "current.json",
        "decisions/<digest>/0001.json",
        "global/current.json",
        "global/history/promotion-00000001.json",
      ]);
    });

    test("a run's files in the bucket mlflow, under its experiment and its id", async () => {
      const keys = await store.keys("mlflow");
      expect(keys.filter((key) => !/^\d+\/[0-9a-f]{32}\/artifacts\/.+/.test(key))).toEqual([]);
      for (const { runId, files } of await readMlflow(serversOf(process.env).mlflow))
        for (const file of files)
          expect(keys).toContainEqual(expect.stringMatching(`^\\d+/${runId}/artifacts/${file}$`));
    });
  });
}
