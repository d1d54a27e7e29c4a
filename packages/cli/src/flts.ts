import { codeOf } from "@flts/common/contracts/errors";
import { EXIT_INTERRUPTED, exitCodeOf, isHelp, lineOf } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { createOutput } from "./terminal/output.ts";

/** The `flts` command. Its exit codes are 0 well, 1 a failure, 2 used wrongly, 78 configured wrongly, 130 interrupted. */
export async function runFlts(): Promise<void> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // Who asks twice does not want to wait: the services see their standard input close.
      if (interruption.signal.aborted) process.exit(EXIT_INTERRUPTED);
      interruption.abort();
    });

  const program = createProgram({
    createOutput: (json) => createOutput(json, process, process.env),
    interrupted: interruption.signal,
    onInterrupted: () => {
      process.exitCode = EXIT_INTERRUPTED;
    },
    write: (text) => void process.stdout.write(text),
    environment: process.env,
  });

  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    if (!isHelp(error)) report(error);
  }
}

function report(error: unknown): void {
  process.stderr.write(`flts: ${lineOf(error)}\n`);
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ error: { code: codeOf(error), message: lineOf(error) } })}\n`);
}
