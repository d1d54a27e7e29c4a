import { inferenceData } from "@flts/common/contracts/events";
import { parseEvent } from "@flts/common/contracts/topic";
import { pipelineTopics } from "@flts/common/stage/topics";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createService } from "./service.ts";
import { createStation, storeTestTable } from "./station.ts";

const station = createStation();

async function createHarness() {
  const clock = createManualClock();
  const store = createMemoryStore();
  const messageLog = createMemoryLog({ clock });
  await messageLog.ensureTopics(pipelineTopics(4));
  const service = createService({
    publish: {
      messageLog,
      store,
      clock,
      topic: inferenceData.name,
      bucket: "processed-data",
      objectName: "test_processed_data.parquet",
    },
  });
  const publish = (body: unknown) => service.post(body, "/publish_inference_claims");
  async function published() {
    const messages = [];
    for await (const message of messageLog.browse(inferenceData.name)) messages.push(message);
    return messages;
  }
  return { ...service, clock, store, publish, published };
}

let harness: Awaited<ReturnType<typeof createHarness>>;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness.app.close());

describe("POST /publish_inference_claims", () => {
  it("publishes claims on the present test table, with size and digest", async () => {
    const object = await storeTestTable(harness.store, station);
    const response = await harness.publish("");
    expect([response.statusCode, response.json()]).toEqual([
      200,
      { status: "ok", published: 1, topic: "inference-data" },
    ]);
    const [message] = await harness.published();
    expect(message?.key).toBe("inference-claim");
    expect(parseEvent(inferenceData, message?.value ?? new Uint8Array())).toMatchObject({
      bucket: "processed-data",
      object,
      size: station.testParquet.byteLength,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      operation: "post: test data",
      v: 1,
    });
  });

  it("publishes as many as it is told, with keys and a deadline", async () => {
    await storeTestTable(harness.store, station);
    await harness.publish({ count: 2_500, key_prefix: "burst", ttl_ms: 5_000 });
    const messages = await harness.published();
    expect(new Set(messages.map(({ key }) => key)).size).toBe(2_500);
    expect(messages.every(({ key }) => key?.startsWith("burst-"))).toBe(true);
    expect(new Set(messages.map(({ headers }) => headers["deadline_ms"]))).toEqual(
      new Set([String(harness.clock.now() + 5_000)]),
    );
  });

  it("claims the object that is named, for the station that is named", async () => {
    await harness.store.ensureBucket("processed-data");
    await harness.store.put({ bucket: "processed-data", key: "mine.parquet" }, new Uint8Array(7));
    await harness.publish({ object_key: "mine.parquet", identifier: "a" });
    const [message] = await harness.published();
    expect(message?.key).toBe("inference-claim/a");
    expect(parseEvent(inferenceData, message?.value ?? new Uint8Array())).toMatchObject({
      object: "mine.parquet",
      size: 7,
      identifier: "a",
    });
  });

  it("publishes nothing on a table that is not there", async () => {
    const response = await harness.publish({ object_key: "none.parquet" });
    expect([response.statusCode, await harness.published()]).toEqual([404, []]);
  });

  it.each([
    ["count", { count: 0 }],
    ["count", { count: 500_001 }],
    ["ttl_ms", { ttl_ms: 0 }],
    ["bucket", { bucket: "model-promotion" }],
    ["identifier", { identifier: "../x" }],
  ])("refuses a wrong %s with 422", async (field, body) => {
    const response = await harness.publish(body);
    expect([response.statusCode, response.json().detail[0].loc]).toEqual([422, ["body", field]]);
  });

  it("is not there unless it was switched on", async () => {
    const plain = createService();
    expect((await plain.post({}, "/publish_inference_claims")).statusCode).toBe(404);
    await plain.app.close();
  });
});
