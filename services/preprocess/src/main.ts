import { backendSecrets, backendSettings, connectBackends } from "@flts/backends/connect";
import { reconcile } from "@flts/common/housekeeping/reconcile";
import { runService } from "@flts/common/service/service";
import { untilAvailable } from "@flts/common/service/until-available";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { preprocessSettings } from "./config.ts";
import { claimLedgers } from "./reconcile-claims.ts";
import { runJob } from "./run.ts";

/** A job beside this one that has just written its heads has sent its claims by then. */
const SETTLE_MS = 5_000;

/** A job: it runs once and ends, with code 0 when the claims of every station are sent, those that an earlier job died over included. */
await runService({
  name: "preprocess",
  settings: { ...preprocessSettings, ...backendSettings },
  secrets: backendSecrets,
  start: async ({ config, log, probes, stopping, onStop }) => {
    const { close, log: messages, store, clock } = await connectBackends(config);
    onStop("backends", close);
    const patience = { clock, log, signal: stopping };
    probes.addComponent("kafka", () => messages.ping());
    probes.addComponent("store", () => store.ping());
    await untilAvailable(patience, "the topics in Kafka", () =>
      messages.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS)),
    );
    for (const bucket of [config.INPUT_BUCKET, config.OUTPUT_BUCKET])
      await untilAvailable(patience, `bucket ${bucket} in the store`, () => store.ensureBucket(bucket));
    const work = async (): Promise<void> => {
      await runJob(config, {
        store,
        clock,
        log,
        signal: stopping,
        publish: (emissions) => messages.publish(emissions.map(toMessage)),
      });
      const ledgers = claimLedgers({
        store,
        log: messages,
        outputBucket: config.OUTPUT_BUCKET,
        outputTrain: config.OUTPUT_TRAIN,
        outputTest: config.OUTPUT_TEST,
        promotionBucket: config.PROMOTION_BUCKET,
      });
      const looks = { log: messages, clock, settleMs: SETTLE_MS, signal: stopping };
      const republished = await untilAvailable(patience, "the claims of earlier jobs", () =>
        reconcile(ledgers, looks),
      );
      for (const round of republished) log.info("event_republished", { round });
    };
    return { done: work() };
  },
});
