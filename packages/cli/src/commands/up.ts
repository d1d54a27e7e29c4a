import type { Dataset } from "../pipeline/dataset.ts";
import { createNarrator } from "../pipeline/narrate.ts";
import { type Endpoint, startPipeline } from "../pipeline/pipeline.ts";
import type { PipelineOptions } from "../pipeline/process-specs.ts";
import { removeRunFile, writeRunFile } from "../pipeline/run-file.ts";
import type { Output } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";
import { whenAborted, withSession } from "./session.ts";

export interface UpOptions extends PipelineOptions {
  readonly datasets: readonly Dataset[];
}

/** `flts up`: every service until told to stop. */
export async function up(options: UpOptions, output: Output, signal: AbortSignal): Promise<void> {
  const { home, datasets } = options;
  const narrate = createNarrator();
  const onLine: Parameters<typeof withSession>[3]["onLine"] = (name, line) => {
    const told = narrate(name, line);
    if (told !== null) output.say(told);
  };
  output.say(
    `Starting on ${home} with ${datasets.map(({ name }) => name).join(", ")}, families ${options.families.join(", ")}`,
  );
  await withSession(home, output, signal, { onLine }, async (session) => {
    const { endpoints } = await startPipeline(session, options, datasets);
    await writeRunFile(home, { pid: process.pid, endpoints: [...endpoints] });
    output.say("", ...endpointTable(endpoints, output), "", ...whereNext(home, session.logs.folder));
    output.result({ home, pid: process.pid, endpoints, logs: session.logs.folder });
    await whenAborted(session.signal);
  });
  await removeRunFile(home);
  output.say("Stopped. Everything is kept; 'pnpm flts up' goes on where it was.");
}

const endpointTable = (endpoints: readonly Endpoint[], { style }: Output): string[] =>
  renderTable(
    [{ title: "service" }, { title: "address" }, { title: "metrics" }],
    endpoints.map(({ name, url, metricsUrl }) => [name, url ?? "–", metricsUrl ?? "–"]),
    style,
  );

const whereNext = (home: string, logs: string): string[] => [
  `State lies in ${home}, logs in ${logs}. Ctrl-C stops everything.`,
];
