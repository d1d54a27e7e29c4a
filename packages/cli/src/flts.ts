import { codeOf } from "@flts/common/contracts/errors";
import { EXIT_INTERRUPTED, EXIT_UNREAD, exitCodeOf, isHelp, lineOf } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { createOutput } from "./terminal/output.ts";

/** The `flts` command, with what this process was started with. It sets the exit code. */
export async function runFlts(): Promise<void> {
  const interruption = new AbortController();
  endWithoutReaders();
  const program = createProgram({
    createOutput: (json) => createOutput(json, process, process.env),
    untilInterrupted: () => abortWhenAsked(interruption),
    write: (text) => void process.stdout.write(text),
    environment: process.env,
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = interruption.signal.aborted ? EXIT_INTERRUPTED : exitCodeOf(error);
    if (!interruption.signal.aborted && !isHelp(error)) report(error);
  }
}

function abortWhenAsked(interruption: AbortController): AbortSignal {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // Who asks twice does not want to wait: the services see their standard input close.
      if (interruption.signal.aborted) process.exit(EXIT_INTERRUPTED);
      interruption.abort();
    });
  // As services do: whoever started us with a pipe as standard input is gone when that closes.
  if (process.env["FLTS_PARENT"] === "1")
    process.stdin
      .on("close", () => interruption.abort())
      .resume()
      .unref();
  return interruption.signal;
}

/** Whoever reads us may have seen enough, as `head` has. */
function endWithoutReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(EXIT_UNREAD);
    });
}

function report(error: unknown): void {
  process.stderr.write(`flts: ${lineOf(error)}\n`);
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ error: { code: codeOf(error), message: lineOf(error) } })}\n`);
}
