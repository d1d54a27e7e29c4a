import { beforeAll, describe, expect, test, vi } from "vitest";
import { serversOf } from "./backends.ts";
import { CONFIG_HASH, replicas, trainers } from "./cluster.ts";
import { type KafkaContents, readKafka } from "./read-kafka.ts";
import { readS3 } from "./read-s3.ts";

/** Topics, keys, groups and fields of messages (reference behaviour §2), and the promotion's payload (§6.4). */
export function kafkaTests(): void {
  describe("leaves in Kafka", () => {
    let kafka: KafkaContents;
    beforeAll(async () => {
      // The head is the truth, so the model is served before the last event is published and every group has done with it.
      await vi.waitUntil(
        async () => {
          kafka = await readKafka(serversOf(process.env).kafka);
          return (
            messagesOf("model-selected").length > 0 &&
            [...kafka.groups.values()].every(({ lag }) => lag === 0)
          );
        },
        { timeout: 50_000, interval: 500 },
      );
    }, 60_000);
    const messagesOf = (topic: string) => kafka.topics.get(topic)?.messages ?? [];

    test("every topic with its partitions, and one for the dead letters of each, all empty", () => {
      const work = [
        "inference-data",
        "model-selected",
        "model-training",
        "performance-eval",
        "training-data",
      ];
      for (const topic of work) expect([topic, kafka.topics.get(topic)?.partitions]).toEqual([topic, 4]);
      for (const topic of [...work, "preprocess"].map((name) => `DLQ-${name}`))
        expect([topic, kafka.topics.get(topic)]).toEqual([topic, { partitions: 1, messages: [] }]);
    });

    test("one claim for trainers and one for inference", () => {
      const claim = { bucket: "processed-data", v: 1, config_hash: CONFIG_HASH, identifier: "" };
      expect(messagesOf("training-data")).toEqual([
        expect.objectContaining({
          key: "train-claim",
          value: expect.objectContaining({
            ...claim,
            object: expect.stringMatching(/^[0-9a-f]{64}\/processed_data\.parquet$/),
            size: expect.any(Number),
          }),
        }),
      ]);
      const [message, ...others] = messagesOf("inference-data");
      expect(others).toEqual([]);
      expect(message).toMatchObject({
        key: "inference-claim",
        value: { ...claim, operation: "post: test data", object: message?.value["object_key"] },
      });
      expect(message?.value["object"]).toMatch(/^[0-9a-f]{64}\/test_processed_data\.parquet$/);
    });

    test.each(trainers)(
      "that $family began and succeeded, in this order and in one partition",
      ({ family }) => {
        const events = messagesOf("model-training").filter(({ value }) => value["run_name"] === family);
        const common = { experiment: family === "PROPHET" ? "NonML" : "Default", config_hash: CONFIG_HASH };
        expect(events.map(({ key }) => key)).toEqual(events.map(() => `trained-${family}`));
        expect(new Set(events.map(({ partition }) => partition)).size).toBe(1);
        expect(events.map(({ value }) => value)).toEqual([
          expect.objectContaining({ ...common, operation: `Training Started: ${family}`, status: "RUNNING" }),
          expect.objectContaining({
            ...common,
            operation: `Trained: ${family}`,
            status: "SUCCESS",
            run_id: expect.stringMatching(/^[0-9a-f]{32}$/),
          }),
        ]);
      },
    );

    test("one promotion with the reference's payload, the same as in the store", async () => {
      const store = await readS3(serversOf(process.env).s3);
      const [message, ...others] = messagesOf("model-selected");
      // Whoever finds the round complete announces it; a promotion may be heard twice, never another one.
      expect(others).toEqual(others.map(() => message));
      expect(message?.key).toBe("promotion");
      expect(message?.value).toMatchObject({
        identifier: "",
        config_hash: CONFIG_HASH,
        experiment: "Default",
        model_uri: `runs:/${String(message?.value["run_id"])}/${String(message?.value["model_type"])}`,
        weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      });
      const { rmse, mae, mse, score } = message!.value as Record<string, number>;
      expect(score).toBeCloseTo(0.5 * rmse! + 0.3 * mae! + 0.2 * mse!, 9);
      for (const key of ["current.json", "global/current.json", "global/history/promotion-00000001.json"])
        expect(await store.json("model-promotion", key), key).toEqual(message?.value);
    });

    test("the reference's groups, with a member each or shared by the replicas, nothing left to do, and one group for each replica", () => {
      const stable = { state: "Stable", members: 1, lag: 0 };
      const names = [
        ...trainers.map(({ group }) => group),
        "eval-promoter",
        ...replicas.map((name) => `inference-promotions-${name}`),
      ];
      expect(Object.fromEntries(kafka.groups)).toEqual({
        ...Object.fromEntries(names.map((name) => [name, stable])),
        inference_group: { ...stable, members: replicas.length },
      });
    });
  });
}
