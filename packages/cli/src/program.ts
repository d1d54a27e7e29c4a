import { join, resolve } from "node:path";
import { Command } from "commander";
import { addCommand, type CommonOptions, stationOption } from "./command.ts";
import { addPromotionCommands } from "./commands/promotion-commands.ts";
import { usageError } from "./exit-codes.ts";
import { addOperations } from "./operations.ts";
import { parseNames, parseUrl, parseWhole } from "./option-values.ts";
import type { Dataset } from "./pipeline/dataset.ts";
import { addProvisioning } from "./provisioning.ts";
import type { Output } from "./terminal/output.ts";

/** What the program needs of the process around it. */
export interface Surroundings {
  readonly createOutput: (json: boolean) => Output;
  /** Asked by a command that has something to put in order: from then on the wish that it end aborts this, and ends the process only when uttered twice. */
  readonly untilInterrupted: () => AbortSignal;
  readonly write: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The command line of FLTS. Commands are imported when they are asked for, so that `--help` answers at once. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command("flts")
    .description("Forecasts the load of mobile base stations: the whole pipeline on this machine.")
    .exitOverride()
    .configureOutput({
      writeOut: surroundings.write,
      writeErr: surroundings.write,
      outputError: () => undefined,
    })
    .showSuggestionAfterError(true)
    .helpCommand(false);
  addDemo(program, surroundings);
  addUp(program, surroundings);
  addPreprocess(program, surroundings);
  addPredict(program, surroundings);
  addEvaluate(program, surroundings);
  addStatus(program, surroundings);
  addOperations(program, surroundings);
  addPromotionCommands(program, surroundings);
  addProvisioning(program, surroundings);
  return program;
}

interface PipelineFlags extends CommonOptions {
  readonly data?: string;
  readonly dataset?: readonly string[];
  readonly families?: readonly string[];
  readonly host: string;
}

function addDemo(program: Command, surroundings: Surroundings): void {
  pipelineCommand(program, "demo", "run one round from measurements to a forecast, show it, and stop")
    .option("--dataset <name>", "which files of the folder", parseNames)
    .action(async (flags: PipelineFlags) => {
      const families = await familiesOf(flags);
      const [dataset, ...more] = await datasetsOf(flags, surroundings.environment);
      if (dataset === undefined || more.length > 0)
        throw usageError("demo takes one dataset: give one name with --dataset ('flts up' takes several)");
      const { demo } = await import("./commands/demo.ts");
      const ports = { gateway: 0, inference: 0, eval: 0 };
      const trainerSettings = await trainerSettingsOf([dataset], surroundings.environment);
      const options = {
        home: resolve(flags.home),
        host: flags.host,
        ports,
        families,
        trainerSettings,
        dataset,
      };
      const output = surroundings.createOutput(flags.json === true);
      await demo(options, output, surroundings.untilInterrupted());
    });
}

interface UpFlags extends PipelineFlags {
  readonly gatewayPort: number;
  readonly inferencePort: number;
  readonly evalPort: number;
}

function addUp(program: Command, surroundings: Surroundings): void {
  pipelineCommand(program, "up", "run every service on this machine until stopped")
    .option("--dataset <names>", "which files of the folder; several separated by commas", parseNames)
    .option("--gateway-port <port>", "port of the gateway (0: any free one)", parsePort, 8000)
    .option("--inference-port <port>", "port of inference (0: any free one)", parsePort, 8023)
    .option("--eval-port <port>", "port of eval (0: any free one)", parsePort, 8050)
    .action(async (flags: UpFlags) => {
      const families = await familiesOf(flags);
      const datasets = await datasetsOf(flags, surroundings.environment);
      const { up } = await import("./commands/up.ts");
      const ports = { gateway: flags.gatewayPort, inference: flags.inferencePort, eval: flags.evalPort };
      const trainerSettings = await trainerSettingsOf(datasets, surroundings.environment);
      const options = {
        home: resolve(flags.home),
        host: flags.host,
        ports,
        families,
        trainerSettings,
        datasets,
      };
      await up(options, surroundings.createOutput(flags.json === true), surroundings.untilInterrupted());
    });
}

function addPreprocess(program: Command, { createOutput, untilInterrupted }: Surroundings): void {
  addCommand(program, "preprocess", "turn uploaded files into tables, which running trainers train on")
    .requiredOption(
      "--dataset <names>",
      "files <name>.csv and <name>_test.csv of the dataset bucket; several separated by commas, * for all (required)",
    )
    .option("--identifier <station>", "the station of a single dataset, where it is not called as its files")
    .action(async (flags: CommonOptions & { readonly dataset: string; readonly identifier?: string }) => {
      const { home, dataset, identifier = dataset, json } = flags;
      const several = dataset === "*" || dataset.includes(",");
      if (several && flags.identifier !== undefined)
        throw usageError("--identifier names one station: leave it out where there are several datasets");
      const { preprocess } = await import("./commands/preprocess.ts");
      const station = { dataset, identifier: several ? "" : identifier };
      await preprocess({ home: resolve(home), station }, createOutput(json === true), untilInterrupted());
    });
}

function addPredict(program: Command, { createOutput }: Surroundings): void {
  addCommand(program, "predict", "forecast with the promoted model, in this process or by a running service")
    .option("--url <url>", "ask this inference service instead of forecasting here", parseUrl)
    .option("--data <file.csv>", "measurements to forecast from (default: the station's test table)")
    .option("--horizon <steps>", "steps to forecast", parseHorizon, 15)
    .addOption(stationOption())
    .action(
      async (
        flags: CommonOptions & {
          readonly url?: string;
          readonly data?: string;
          readonly horizon: number;
          readonly identifier: string;
        },
      ) => {
        const { predict } = await import("./commands/predict.ts");
        const { url = null, data: dataFile = null, horizon, identifier } = flags;
        const options = { home: resolve(flags.home), url, dataFile, horizon, identifier };
        await predict(options, createOutput(flags.json === true));
      },
    );
}

interface EvaluateFlags extends CommonOptions {
  readonly data?: string;
  readonly stations?: readonly string[];
  readonly families?: readonly string[];
  readonly targets?: readonly string[];
  readonly report?: string;
}

function addEvaluate(program: Command, { createOutput, untilInterrupted, environment }: Surroundings): void {
  addCommand(program, "evaluate", "train on the train files, measure on the test files, beside baselines")
    .option("--data <dir>", "folder with <station>.csv and <station>_test.csv (default: FLTS_DATASET_DIR)")
    .option("--stations <names>", "which stations of the folder (default: all)", parseNames)
    .option("--families <names>", "model families to train (default: all)", parseNames)
    .option("--targets <columns>", "columns to forecast (default: down)", parseNames)
    .option("--report <dir>", "where the report is written (default: evaluation, in the state folder)")
    .action(async (flags: EvaluateFlags) => {
      const families = await familiesOf(flags);
      const { stations = [], targets = ["down"] } = flags;
      const data = flags.data ?? environment["FLTS_DATASET_DIR"] ?? "";
      const folder = data === "" ? null : resolve(data);
      if (folder === null && stations.length > 0)
        throw usageError("--stations names files of a folder: give that with --data");
      const reportFolder = resolve(flags.report ?? join(flags.home, "evaluation"));
      const { evaluate } = await import("./commands/evaluate.ts");
      const options = { folder, stations, families, targets, reportFolder };
      await evaluate(options, createOutput(flags.json === true), untilInterrupted());
    });
}

function addStatus(program: Command, { createOutput }: Surroundings): void {
  addCommand(program, "status", "show champions, rounds, messages not yet handled and dead letters").action(
    async (flags: CommonOptions) => {
      const { status } = await import("./commands/status.ts");
      await status(resolve(flags.home), createOutput(flags.json === true));
    },
  );
}

const pipelineCommand = (program: Command, name: string, description: string): Command =>
  addCommand(program, name, description)
    .option(
      "--data <dir>",
      "folder with <name>.csv and <name>_test.csv (default: FLTS_DATASET_DIR; without it synthetic measurements)",
    )
    .option("--families <names>", "model families to train, separated by commas (default: all)", parseNames)
    .option("--host <address>", "address the services listen on", "127.0.0.1");

async function datasetsOf(
  { data, dataset = [] }: PipelineFlags,
  environment: Surroundings["environment"],
): Promise<readonly Dataset[]> {
  const { locateDatasets, synthesizeDataset } = await import("./pipeline/dataset.ts");
  const folder = data ?? environment["FLTS_DATASET_DIR"] ?? "";
  if (folder !== "") return locateDatasets(resolve(folder), dataset);
  if (dataset.length > 0) throw usageError("--dataset names files of a folder: give that with --data");
  return [synthesizeDataset("synthetic")];
}

async function trainerSettingsOf(
  datasets: readonly Dataset[],
  environment: Surroundings["environment"],
): Promise<Readonly<Record<string, string>>> {
  const { syntheticTraining } = await import("./pipeline/dataset.ts");
  return datasets.every(({ train }) => "bytes" in train) ? syntheticTraining(environment) : {};
}

const parsePort = parseWhole(0, 65_535);
const parseHorizon = parseWhole(1, 10_000);

/** The families asked for, all when none are. */
async function familiesOf({ families }: Pick<PipelineFlags, "families">): Promise<readonly string[]> {
  const { familyNames } = await import("@flts/families/registry");
  const wanted = (families ?? familyNames).map((name) => name.toUpperCase());
  const unknown = wanted.find((name) => !familyNames.includes(name));
  if (unknown !== undefined)
    throw usageError(`there is no family ${JSON.stringify(unknown)}; there are ${familyNames.join(", ")}`);
  return [...new Set(wanted)];
}
