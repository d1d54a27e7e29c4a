import { trainInChild } from "../src/child-runner.ts";
import { endlessWork } from "./endless-work.ts";

/** A trainer to be killed: says when its training process is at work. */
await trainInChild({
  work: endlessWork,
  limits: { silenceTimeoutMs: 60_000, memoryMaxBytes: 2 ** 40 },
  environment: process.env,
  signal: new AbortController().signal,
  onProgress: () => process.stdout.write("at work\n"),
});
