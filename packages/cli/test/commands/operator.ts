import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { exitCodeOf, lineOf } from "@flts/cli/exit-codes";
import { createProgram } from "@flts/cli/program";
import { createOutput } from "@flts/cli/terminal/output";
import { loadConfig } from "@flts/common/service/config";
import { pipelineTopics } from "@flts/common/stage/topics";

/** An operator at a home of the embedded backends. */
export interface Operator {
  readonly home: string;
  readonly backends: Backends;
  /** Runs `flts …` on the home: its exit code, its last line, what it said, and its result. */
  flts(...args: readonly string[]): Promise<{ code: number; line: string; said: string; result: unknown }>;
  leave(): Promise<void>;
}

export async function createOperator(): Promise<Operator> {
  const home = mkdtempSync(join(tmpdir(), "flts-operator-"));
  const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));
  await backends.log.ensureTopics(pipelineTopics(1));
  for (const bucket of ["processed-data", "model-promotion", "mlflow"])
    await backends.store.ensureBucket(bucket);
  return {
    home,
    backends,
    async flts(...args) {
      let out = "";
      let said = "";
      const program = createProgram({
        createOutput: (json) =>
          createOutput(
            json,
            { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (said += text) } },
            {},
          ),
        untilInterrupted: () => new AbortController().signal,
        write: () => undefined,
        environment: {},
      });
      try {
        await program.parseAsync([...args, "--home", home, "--json"], { from: "user" });
        return { code: 0, line: "", said, result: JSON.parse(out) as unknown };
      } catch (error) {
        return { code: exitCodeOf(error), line: lineOf(error), said, result: null };
      }
    },
    async leave() {
      await backends.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
