import { backendSettings, connectBackends } from "@flts/backends/connect";
import { codeOf } from "@flts/common/contracts/errors";
import { runService } from "@flts/common/service/service";
import { toMessage } from "@flts/common/stage/runner";
import { PREPROCESS_DEAD_LETTERS, pipelineTopics } from "@flts/common/stage/topics";
import { preprocessSettings, settingsOf } from "./config.ts";
import { preprocess } from "./preprocess.ts";

/** A job: it runs once and ends, with code 0 when the claims are sent. */
await runService({
  name: "preprocess",
  settings: { ...preprocessSettings, ...backendSettings },
  start: async ({ config, log, onStop }) => {
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    await backends.log.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS));
    for (const bucket of [config.INPUT_BUCKET, config.OUTPUT_BUCKET])
      await backends.store.ensureBucket(bucket);
    return { done: runJob() };

    async function runJob(): Promise<void> {
      const begun = backends.clock.monotonicMs();
      const durationMs = (): number => Math.round(backends.clock.monotonicMs() - begun);
      try {
        const { cached } = await preprocess(
          {
            identifier: config.IDENTIFIER,
            inputBucket: config.INPUT_BUCKET,
            outputBucket: config.OUTPUT_BUCKET,
            outputTrain: config.OUTPUT_TRAIN,
            outputTest: config.OUTPUT_TEST,
            force: config.FORCE_REPROCESS,
            settings: settingsOf(config),
          },
          {
            store: backends.store,
            clock: backends.clock,
            log,
            publish: (emissions) => backends.log.publish(emissions.map(toMessage)),
          },
        );
        log.info("success", { duration_ms: durationMs(), result: cached ? "cached" : "ok" });
      } catch (error) {
        log.error("failure", error, { duration_ms: durationMs(), result: "error" });
        await backends.log.publish([deadLetter(error)]);
        throw error;
      }
    }

    /** The reference's envelope: this job consumed no message that could be published again, so its settings stand for one. */
    function deadLetter(error: unknown) {
      const { TRAIN_FILE, TEST_FILE, DATASET_NAME, IDENTIFIER } = config;
      return toMessage({
        topic: PREPROCESS_DEAD_LETTERS,
        key: "preprocess",
        value: {
          operation: "preprocess",
          status: "Failure",
          error: error instanceof Error ? error.message : String(error),
          code: codeOf(error),
          payload: { TRAIN_FILE, TEST_FILE, DATASET_NAME, IDENTIFIER },
          timestamp: backends.clock.now() / 1000,
        },
      });
    }
  },
});
