import { embeddedIn, serversOf } from "./backends.ts";
import { batchTests } from "./batch-tests.ts";
import { makeScratch } from "./flts.ts";
import { kafkaTests } from "./kafka-tests.ts";
import { mlflowTests } from "./mlflow-tests.ts";
import { pipelineSuite } from "./pipeline-suite.ts";
import { readS3 } from "./read-s3.ts";
import { s3Tests } from "./s3-tests.ts";

/** The pipeline on Kafka, S3 and MLflow, and what it has left in them, held against the reference's interfaces. */

async function openSite() {
  const { kafka, s3, mlflow } = serversOf(process.env);
  const used = (await readS3(s3)).buckets.includes("model-promotion");
  if (used) throw new Error(`${s3} holds another pipeline's promotions: start servers with nothing in them`);
  const scratch = makeScratch();
  return {
    /** Like pods, they share no disk. */
    backends: () => ({
      ...embeddedIn(scratch.home()),
      KAFKA_BOOTSTRAP_SERVERS: kafka,
      S3_ENDPOINT: s3,
      MLFLOW_TRACKING_URI: mlflow,
    }),
    close: () => scratch.remove(),
  };
}

pipelineSuite("on Kafka, S3 and MLflow", openSite, (cluster) => {
  kafkaTests();
  s3Tests(cluster);
  mlflowTests();
  batchTests(cluster, process.env);
});
