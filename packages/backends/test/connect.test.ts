import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@flts/common/service/config";
import { expect, test } from "vitest";
import { backendSecrets, backendSettings, connectBackends } from "../src/connect.ts";

const settings = (environment: Readonly<Record<string, string>>) => loadConfig(backendSettings, environment);

test("without variables everything lies in FLTS_HOME, and is there again after a restart", async () => {
  const home = await mkdtemp(join(tmpdir(), "flts-home-"));
  const first = await connectBackends(settings({ FLTS_HOME: home }));
  await first.log.ensureTopics([{ name: "training-data", partitions: 1 }]);
  await first.log.publish([{ topic: "training-data", key: null, value: Buffer.from("claim") }]);
  await first.store.ensureBucket("dataset");
  await first.store.put({ bucket: "dataset", key: "a.csv" }, Buffer.from("time"));
  const { runId } = await first.tracker.startRun({ experiment: "Default", name: "LINEAR", tags: {} });
  await first.close();
  expect((await readdir(home)).toSorted()).toStrictEqual(["log", "store"]);

  const second = await connectBackends(settings({ FLTS_HOME: home }));
  expect((await second.log.lag("g", ["training-data"]))[0]?.end).toBe(1n);
  expect(await second.store.head({ bucket: "dataset", key: "a.csv" })).toMatchObject({ sizeBytes: 4 });
  expect(await second.tracker.getRun(runId)).toMatchObject({ name: "LINEAR", status: "RUNNING" });
  await second.close();
  await expect(second.log.ping()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  await rm(home, { recursive: true });
});

test("a Kafka, an S3 store and an MLflow that are away keep nobody from starting", async () => {
  const home = await mkdtemp(join(tmpdir(), "flts-home-"));
  const { log, store, tracker, close } = await connectBackends(
    settings({
      FLTS_HOME: home,
      KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:9",
      S3_ENDPOINT: "http://127.0.0.1:9",
      MLFLOW_TRACKING_URI: "http://127.0.0.1:9",
      AWS_ACCESS_KEY_ID: "k",
      AWS_SECRET_ACCESS_KEY: "s",
    }),
  );
  await expect(log.ping()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  await expect(store.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(tracker.ping()).rejects.toMatchObject({ code: "TRACKER_UNAVAILABLE" });
  await close();
  await rm(home, { recursive: true });
});

test.each([
  [{ KAFKA_BOOTSTRAP_SERVERS: "kafka" }, /KAFKA_BOOTSTRAP_SERVERS.*host:port/],
  [{ S3_ENDPOINT: "minio:9000" }, /S3_ENDPOINT.*URL/],
  [{ S3_ENDPOINT: "http://minio:9000", AWS_ACCESS_KEY_ID: "k" }, /AWS_SECRET_ACCESS_KEY/],
  [{ MLFLOW_TRACKING_URI: "databricks" }, /MLFLOW_TRACKING_URI.*URL/],
])(
  "settings of Kafka, S3 and MLflow that cannot work are faults of configuration",
  async (environment, message) => {
    const connecting = connectBackends(settings(environment));
    await expect(connecting).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message),
    });
  },
);

test("credentials may come from files", async () => {
  const home = await mkdtemp(join(tmpdir(), "flts-secrets-"));
  await writeFile(join(home, "secret"), "hush\n");
  const environment = { AWS_SECRET_ACCESS_KEY_FILE: join(home, "secret") };
  const config = loadConfig(backendSettings, environment, backendSecrets);
  expect(config).toMatchObject({ AWS_SECRET_ACCESS_KEY: "hush" });
  await rm(home, { recursive: true });
});

test("a failpoint that nobody can read is a fault of configuration", async () => {
  const connecting = connectBackends(settings({ FLTS_FAILPOINT: "sometimes" }));
  await expect(connecting).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("a home that cannot be used is refused with the reason", async () => {
  const connecting = connectBackends(settings({ FLTS_HOME: "/dev/null/flts" }));
  await expect(connecting).rejects.toMatchObject({ message: expect.stringContaining("/dev/null/flts") });
});
