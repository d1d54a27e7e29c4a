import { embeddedIn } from "./backends.ts";
import { batchTests } from "./batch-tests.ts";
import { makeScratch } from "./flts.ts";
import { pipelineSuite } from "./pipeline-suite.ts";

const scratch = makeScratch();
const backends = embeddedIn(scratch.home());

pipelineSuite(
  "in processes of their own, on the embedded backends",
  () => ({ backends: () => backends, close: () => scratch.remove() }),
  (cluster) => batchTests(cluster, backends),
);
