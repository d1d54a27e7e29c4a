import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSystemClock } from "@flts/backends/system-clock";
import { FltsError } from "@flts/common/contracts/errors";
import { evaluateStation, meanNrmse, type StationEvaluation } from "@flts/families/evaluation/station";
import type { Progress } from "@flts/families/family";
import { familyOf } from "@flts/families/registry";
import { reportMarkdown } from "../evaluation/report.ts";
import { protocolOf, resultOf } from "../evaluation/result.ts";
import { forecastSvg } from "../evaluation/svg.ts";
import { meanText, stationText } from "../evaluation/text.ts";
import { type Dataset, datasetsAmong, locateDatasets, synthesizeDataset } from "../pipeline/dataset.ts";
import { readTable } from "../pipeline/measurements.ts";
import { percentOf } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";

export interface EvaluateOptions {
  /** Folder with `<station>.csv` and `<station>_test.csv`; null evaluates a station that was made up. */
  readonly folder: string | null;
  /** All of the folder's when empty. */
  readonly stations: readonly string[];
  readonly families: readonly string[];
  readonly targets: readonly string[];
  /** Where the report is written. */
  readonly reportFolder: string;
}

/**
 * `flts evaluate`: trains every family on each station's train file, lets the gate choose, and measures all of them and the baselines on the test file.
 * @throws INPUT_MISSING, CSV_INVALID, COLUMN_MISSING, TABLE_TOO_SHORT
 */
export async function evaluate(options: EvaluateOptions, output: Output, signal: AbortSignal): Promise<void> {
  const evaluations: StationEvaluation[] = [];
  for (const dataset of await datasetsOf(options)) {
    const evaluation = await evaluateDataset(dataset, options, output, signal);
    evaluations.push(evaluation);
    const { style, screen } = output;
    output.say(...stationText(evaluation, options.targets, { style, width: screen.width }), "");
  }
  const mean = meanNrmse(evaluations);
  if (evaluations.length > 1) output.say(...meanText(mean, evaluations.length, output.style), "");
  const report = await writeReport(evaluations, options);
  output.say(output.style.faint(`Report: ${report}`));
  output.result(resultOf(protocolOf(options.targets), evaluations, mean));
}

async function datasetsOf({ folder, stations }: EvaluateOptions): Promise<readonly Dataset[]> {
  if (folder === null) return [synthesizeDataset("synthetic")];
  // A folder that cannot be read is told of where its files are located.
  const files = await readdir(folder).catch(() => []);
  return await locateDatasets(folder, stations.length > 0 ? stations : datasetsAmong(files));
}

async function evaluateDataset(
  dataset: Dataset,
  { families, targets }: EvaluateOptions,
  output: Output,
  signal: AbortSignal,
): Promise<StationEvaluation> {
  const [train, test] = [await readTable(dataset.train), await readTable(dataset.test)];
  const show = (family: string, { fraction }: Progress) =>
    output.block.update([`${dataset.name}: training ${family} ${percentOf(fraction)}`]);
  try {
    return await evaluateStation({
      station: dataset.name,
      train,
      test,
      targets,
      families: families.map(familyOf),
      clock: createSystemClock(),
      signal,
      onProgress: show,
    });
  } catch (error) {
    if (!(error instanceof FltsError)) throw error;
    throw new FltsError(error.code, `${dataset.name}: ${error.message}`, error);
  } finally {
    output.block.update([]);
    output.block.finish();
  }
}

/** Writes the Markdown and one picture for each station and target; returns the Markdown's path. */
async function writeReport(
  evaluations: readonly StationEvaluation[],
  { reportFolder, targets }: EvaluateOptions,
): Promise<string> {
  await mkdir(reportFolder, { recursive: true });
  for (const evaluation of evaluations)
    for (const target of targets)
      await writeFile(
        join(reportFolder, `${evaluation.station}-${target}.svg`),
        forecastSvg(evaluation, targets, target),
      );
  const path = join(reportFolder, "report.md");
  await writeFile(path, reportMarkdown(protocolOf(targets), evaluations, meanNrmse(evaluations)));
  return path;
}
