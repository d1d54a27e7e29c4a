import { backendSettings, connectBackends } from "@flts/backends/connect";
import { runService } from "@flts/common/service/service";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { preprocessSettings } from "./config.ts";
import { runJob } from "./run.ts";

/** A job: it runs once and ends, with code 0 when the claims of every station are sent. */
await runService({
  name: "preprocess",
  settings: { ...preprocessSettings, ...backendSettings },
  start: async ({ config, log, onStop }) => {
    const { close, log: messages, store, clock } = await connectBackends(config);
    onStop("backends", close);
    await messages.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS));
    for (const bucket of [config.INPUT_BUCKET, config.OUTPUT_BUCKET]) await store.ensureBucket(bucket);
    return {
      done: runJob(config, {
        store,
        clock,
        log,
        publish: (emissions) => messages.publish(emissions.map(toMessage)),
      }),
    };
  },
});
