import { embeddedIn } from "./backends.ts";
import { makeScratch } from "./flts.ts";
import { pipelineSuite } from "./pipeline-suite.ts";

pipelineSuite("in processes of their own, on the embedded backends", () => {
  const scratch = makeScratch();
  const backends = embeddedIn(scratch.home());
  return { backends: () => backends, close: () => scratch.remove() };
});
