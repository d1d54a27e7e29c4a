import { createNarrator } from "../pipeline/narrate.ts";
import { preprocessOf, type Station } from "../pipeline/process-specs.ts";
import { type LogLine, textField } from "../supervisor/log-line.ts";
import type { Output } from "../terminal/output.ts";
import { withSession } from "./session.ts";

export interface PreprocessOptions {
  readonly home: string;
  readonly station: Station;
}

/** `flts preprocess`: the job on files that lie in the dataset bucket; trainers that run hear of its claims. @throws what the job says is wrong with them */
export async function preprocess(
  { home, station }: PreprocessOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const narrate = createNarrator();
  const stations: ReturnType<typeof stationIn>[] = [];
  const onLine = (name: string, line: LogLine): void => {
    const told = narrate(name, line);
    if (told !== null) output.say(told);
    if (line.event === "pipeline_done" || line.event === "skip_idempotent") stations.push(stationIn(line));
  };
  await withSession(home, output, signal, { onLine }, ({ supervisor }) => {
    return supervisor.run(preprocessOf({ home, host: "127.0.0.1" }, station)).done;
  });
  signal.throwIfAborted();
  output.result({ stations });
}

const stationIn = (line: LogLine) => ({
  identifier: textField(line, "identifier") ?? "",
  round: textField(line, "round") ?? "",
  cached: line.event === "skip_idempotent",
});
