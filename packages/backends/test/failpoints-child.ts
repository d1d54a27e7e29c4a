import process from "node:process";
import { loadConfig } from "@flts/common/service/config";
import { backendSettings, connectBackends } from "../src/connect.ts";

/** A small pipeline that touches every kind of operation, and reports each step that it lives to see. */
const { log, store, tracker, close } = await connectBackends(loadConfig(backendSettings, process.env));
const step = (name: string): unknown => process.send?.(name);
const ref = { bucket: "dataset", key: "folder/object" };

await log.ensureTopics([{ name: "training-data", partitions: 1 }]);
await store.ensureBucket("dataset");
const { etag } = await store.put(ref, Buffer.from("1"));
step("put");
await store.put(ref, Buffer.from("2"), { condition: { ifMatch: etag } });
step("swap");
const { runId } = await tracker.startRun({ experiment: "Default", name: "LINEAR", tags: {} });
await tracker.putArtifact(runId, "LINEAR/model.json", Buffer.from("{}"));
step("artifact");
await log.publish([{ topic: "training-data", key: null, value: Buffer.from("claim") }]);
step("publish");
await new Promise<void>((resolve, reject) => {
  log
    .consume({
      group: "train",
      topics: ["training-data"],
      from: "earliest",
      onDelivery: async (delivery) => {
        await delivery.commit();
        resolve();
      },
      onCrash: reject,
    })
    .catch(reject);
});
step("commit");
await close();
process.disconnect();
