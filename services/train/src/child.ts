import { codeOf } from "@flts/common/contracts/errors";
import { fitFamily } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import type { FromChild, ToChild } from "./child-protocol.ts";

/**
 * The process that trains: pure computation on what its parent sent, so that ending it at any moment leaves nothing behind. It ends with its parent.
 */

const BEAT_MS = 1_000;

const send = (message: FromChild): void => void process.send?.(message);

process.on("disconnect", () => process.exit(0));

process.once("message", (message: ToChild) => {
  const beat = setInterval(() => send({ kind: "beat", residentBytes: process.memoryUsage.rss() }), BEAT_MS);
  void train(message).finally(() => clearInterval(beat));
});

async function train({ family, ...work }: ToChild): Promise<void> {
  try {
    const fitted = await fitFamily(familyOf(family), {
      ...work,
      signal: new AbortController().signal,
      onProgress: (progress) =>
        send({ kind: "progress", progress, residentBytes: process.memoryUsage.rss() }),
    });
    send({ kind: "done", fitted });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? error.stack : undefined;
    send({ kind: "failed", code: codeOf(error), message, ...(stack === undefined ? {} : { stack }) });
  }
}
