import { createTable, mapColumns, sliceRows, type Table } from "@flts/forecasting/table/table";
import { describe, expect, test } from "vitest";
import type { Artifact } from "../src/artifact.ts";
import { families } from "../src/registry.ts";
import {
  column,
  evaluateOn,
  expectNumbers,
  finite,
  MINUTE_MS,
  measured,
  plain,
  prepare,
  spring,
  timesOf,
  train,
} from "./support/quick-stages.ts";

/**
 * What measurements look like on a bad day and can be learnt from, through every stage: preprocessing, training of each family, a served
 * forecast with its interval, the gate and the evaluation on a test file. What cannot is in refusals.test.ts.
 */

const only = (table: Table, keep: (row: number) => boolean): Table => {
  const kept = Array.from(table.timesMs.keys()).filter(keep);
  const pick = (values: Float64Array) => Float64Array.from(kept, (row) => values[row]!);
  return createTable(pick(table.timesMs), table.columns, table.values.map(pick));
};

const becomesNumbers: readonly (readonly [string, Table])[] = [
  ["a plain table", plain],
  ["gaps", only(plain, (row) => row % 50 > 5)],
  ["an irregular grid", timesOf(plain, (time, row) => time + (row % 3) * 20_000)],
  ["a step of a quarter of an hour", timesOf(plain, (time, row) => time + row * 13 * MINUTE_MS)],
  ["an hour that clocks skip in spring", spring],
  ["a leap day", measured(400, Date.UTC(2024, 1, 28, 22))],
  ["a constant target", column(plain, ["down"], () => 5e6)],
  ["a silent target", column(plain, ["up"], () => 0)],
  ["all targets and features constant", mapColumns(plain, (values) => values.map(() => 3))],
  [
    "a target that is silent until the last rows",
    column(plain, ["up"], (value, row) => (row < 320 ? 0 : value)),
  ],
  ["a negative target", column(plain, ["up"], (value, row) => (row % 2 === 0 ? value : -value))],
  ["a column without numbers", column(plain, ["mcs_up"], () => Number.NaN)],
  [
    "missing cells, the last of them too",
    column(plain, ["down"], (value, row) => (row % 7 < 2 ? Number.NaN : value)),
  ],
  ["values beyond any load", column(plain, ["down"], (value) => value * 1e9)],
  ["fifty rows", sliceRows(plain, 0, 50)],
];

const singles = families.filter(({ combines }) => !combines).map(({ name }) => name);

describe.each(becomesNumbers)("%s", (_what, table) => {
  test("is learnt from by every family, which answer with numbers", async () => {
    const parquet = prepare(table);
    const members: Artifact[] = [];
    for (const name of singles) {
      const fitted = await train(name, parquet);
      await expectNumbers(fitted, table);
      members.push(fitted.artifact);
    }
    const alike = members.filter(({ manifest }) => manifest.window === members[0]?.manifest.window);
    await expectNumbers(await train("ENSEMBLE", parquet, { members: alike }), table);
  });

  test("is evaluated: numbers or none, with the gate's verdict", async () => {
    const found = await evaluateOn({ train: table, test: table });
    expect(["cold_start", "rejected"]).toContain(found.verdict);
    const { forecast, lower, upper } = found.forecasts;
    expect(finite(forecast) && finite(lower) && finite(upper)).toBe(true);
    const figures = found.families.flatMap(({ nrmse, rmse, mae, coverage, width }) => [
      nrmse,
      rmse,
      mae,
      coverage,
      width,
    ]);
    expect(figures.every((figure) => figure === null || Number.isFinite(figure))).toBe(true);
    expect(JSON.stringify(found.pairs)).not.toContain("null");
  });
});
