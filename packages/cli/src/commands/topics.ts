import { createLogger } from "@flts/common/service/logger";
import { untilAvailable } from "@flts/common/service/until-available";
import { pipelineTopics } from "@flts/common/stage/topics";
import { withHome } from "../home.ts";
import type { Output } from "../terminal/output.ts";

export interface TopicsOptions {
  readonly home: string;
  /** Of every topic but the dead letters. */
  readonly partitions: number;
}

/** `flts topics`: makes the pipeline's topics as soon as there is a log. Those that are there stay as they are. */
export const topics = (
  { home, partitions }: TopicsOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> =>
  withHome(home, async ({ log: messages, clock }) => {
    const specs = pipelineTopics(partitions);
    const log = createLogger({ service: "topics", level: "info", pretty: false });
    await untilAvailable({ clock, log, signal }, "the topics", () => messages.ensureTopics(specs));
    const names = specs.map(({ name }) => name);
    output.say(`${names.length} topics are there: ${names.join(", ")}`);
    output.result({ topics: specs });
  });
