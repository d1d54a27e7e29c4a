import { resolve } from "node:path";
import type { Command } from "commander";
import { addCommand, type CommonOptions } from "./command.ts";
import { parseUrl, parseWhole } from "./option-values.ts";
import type { Surroundings } from "./program.ts";

/** The commands of a deployment's jobs: what must be there before the first round. Both wait for what they need, and do no harm when they run again. */
export function addProvisioning(program: Command, surroundings: Surroundings): void {
  addTopics(program, surroundings);
  addSeed(program, surroundings);
}

function addTopics(program: Command, { createOutput, untilInterrupted }: Surroundings): void {
  addCommand(program, "topics", "make the pipeline's topics with their partitions and retention")
    .option("--partitions <number>", "of every topic but the dead letters", parseWhole(1, 1_000), 4)
    .action(async (flags: CommonOptions & { readonly partitions: number }) => {
      const { topics } = await import("./commands/topics.ts");
      const options = { home: resolve(flags.home), partitions: flags.partitions };
      await topics(options, createOutput(flags.json === true), untilInterrupted());
    });
}

interface SeedFlags extends CommonOptions {
  readonly url: string;
  readonly dataset: string;
  readonly data?: string;
}

function addSeed(program: Command, { createOutput, untilInterrupted }: Surroundings): void {
  addCommand(program, "seed", "bring a station's two files to a gateway")
    .requiredOption("--url <url>", "the gateway (required)", parseUrl)
    .option("--dataset <name>", "gives <name>.csv and <name>_test.csv", "synthetic")
    .option("--data <dir>", "folder that holds them (default: synthetic measurements)")
    .action(async ({ url, dataset: name, data, json }: SeedFlags) => {
      const { locateDatasets, synthesizeDataset } = await import("./pipeline/dataset.ts");
      const datasets =
        data === undefined ? [synthesizeDataset(name)] : await locateDatasets(resolve(data), [name]);
      const { seed } = await import("./commands/seed.ts");
      await seed({ url, datasets }, createOutput(json === true), untilInterrupted());
    });
}
