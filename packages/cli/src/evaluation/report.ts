import type { meanNrmse, StationEvaluation } from "@flts/families/evaluation/station";
import type { Errors } from "@flts/forecasting/evaluation/standing";
import { count, duration, fixed, percentOf, si } from "../terminal/numbers.ts";
import type { Protocol } from "./result.ts";

/** An evaluation as a Markdown document, which shows the pictures that lie beside it as `<station>-<target>.svg`. */
export function reportMarkdown(
  protocol: Protocol,
  evaluations: readonly StationEvaluation[],
  mean: ReturnType<typeof meanNrmse>,
): string {
  const sections = evaluations.map((evaluation) => stationSection(evaluation, protocol.targets));
  return `${[
    "# Evaluation",
    "",
    `Every row of the test files is forecast ${protocol.horizon} step ahead from the rows before it. Models, intervals and the choice of the best come from the train files alone.`,
    "",
    `- nrmse: ${protocol.nrmse}`,
    `- best: ${protocol.choice}`,
    `- intervals: ${protocol.intervals}`,
    `- pairs: ${protocol.pairs}`,
    "",
    "| mean over the stations | nrmse |",
    "| --- | ---: |",
    ...mean
      .toSorted((a, b) => a.nrmse - b.nrmse)
      .map(({ name, nrmse }) => `| ${emphasised(name, name === "best")} | ${fixed(nrmse, 4)} |`),
    "",
    ...sections.flat(),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function stationSection(
  { station, rows, best, reason, families, baselines, failed, pairs }: StationEvaluation,
  targets: readonly string[],
): string[] {
  const everyone = [
    ...families.map((standing) => ({ ...standing, seconds: standing.seconds })),
    ...baselines.map((standing) => ({ ...standing, seconds: null })),
  ];
  return [
    `## ${station}`,
    "",
    `${count(rows.train)} rows to train on, ${count(rows.test)} to test on.`,
    best === null
      ? `The gate would promote none of them: ${reason}.`
      : `The gate would promote **${best}**: ${reason}.`,
    ...failed.map(({ family, code, message }) => `${family} was not trained (${code}): ${message}.`),
    "",
    ...targets.flatMap((target) => [
      `| ${target} | nrmse | rmse | mae | R² | inside 90 % | width | training |`,
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      ...everyone
        .toSorted((a, b) => nrmseOf(a.perTarget[target]) - nrmseOf(b.perTarget[target]))
        .map(({ name, perTarget, seconds }) => row(name, perTarget[target], seconds, name === best)),
      "",
      `![${target} of ${station}, measured and forecast](${encodeURI(station)}-${encodeURI(target)}.svg)`,
      "",
    ]),
    "| difference of nrmse | | 90 % interval |",
    "| --- | ---: | ---: |",
    ...pairs.map(
      ({ a, b, difference, low, high }) =>
        `| ${a} − ${b} | ${fixed(difference, 4)} | ${fixed(low, 4)} … ${fixed(high, 4)} |`,
    ),
    "",
  ];
}

const nrmseOf = (errors: Errors | undefined) => errors?.nrmse ?? Number.POSITIVE_INFINITY;

function row(name: string, errors: Errors | undefined, seconds: number | null, best: boolean): string {
  const { coverage = null, width = null } = errors ?? {};
  const cells = [
    emphasised(name, best),
    fixed(errors?.nrmse, 4),
    si(errors?.rmse ?? Number.NaN),
    si(errors?.mae ?? Number.NaN),
    fixed(errors?.r2, 3),
    coverage === null ? "" : percentOf(coverage),
    width === null ? "" : fixed(width, 2),
    seconds === null ? "" : duration(seconds),
  ];
  return `| ${cells.join(" | ")} |`;
}

const emphasised = (text: string, strong: boolean) => (strong ? `**${text}**` : text);
