import { setting } from "@flts/common/service/config";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { forecastAfter } from "@flts/forecasting/recursive";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { createTable, mapColumns, type Table } from "@flts/forecasting/table/table";
import { expect } from "vitest";
import { z } from "zod";
import type { Artifact } from "../../src/artifact.ts";
import { type EvaluationTask, evaluateStation } from "../../src/evaluation/station.ts";
import type { Family } from "../../src/family.ts";
import { type FittedModel, fitFamily } from "../../src/fit.ts";
import { loadModel } from "../../src/model.ts";
import { families, familyOf } from "../../src/registry.ts";
import { fitWork } from "./fit-work.ts";

/** The stages in one process, on small tables and networks that are hardly trained: from measurements to what is served. */

export const MINUTE_MS = 60_000;
const quick: Readonly<Record<string, string>> = { HIDDEN_SIZE: "4", NUM_LAYERS: "1", EPOCHS: "1" };
const targets = ["down", "up"];

/** Two-minute rows from the given time on. */
export const measured = (rows: number, startMs = Date.UTC(2024, 0, 8)): Table =>
  synthesizeStation({ seed: 7, rows, startMs });
export const plain = measured(400);

export const timesOf = (table: Table, timeOf: (timeMs: number, row: number) => number): Table =>
  createTable(table.timesMs.map(timeOf), table.columns, table.values);
export const column = (
  table: Table,
  names: readonly string[],
  change: (value: number, row: number) => number,
): Table => mapColumns(table, (values, name) => (names.includes(name) ? values.map(change) : values));

/** Clocks that skip an hour after 300 rows. */
export const spring = timesOf(plain, (time, row) => (row < 300 ? time : time + 60 * MINUTE_MS));

/** The table as preprocessing hands it to the trainers, who are given its bytes. */
export function prepare(table: Table): Uint8Array {
  const { train: prepared, scaling } = preprocessPair(table, table, defaultSettings("s.csv", "s_test.csv"));
  return writeParquet(prepared, { scaling: JSON.stringify(scaling) });
}

/** A family on a prepared table. */
export function train(
  name: string,
  parquet: Uint8Array,
  {
    members = [],
    wanted = targets,
    settings = {},
  }: {
    readonly members?: readonly Artifact[];
    readonly wanted?: readonly string[];
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
): Promise<FittedModel> {
  const family = familyOf(name);
  const all = z.object(family.settings).parse({ ...quick, ...settings });
  return fitFamily(family, fitWork(parquet, { targets: wanted, settings: all, members }));
}

/** What is served after the table: an hour of forecasts with intervals. */
export async function serve(artifact: Artifact, history: Table) {
  const { forecaster, manifest, close } = await loadModel(artifact);
  try {
    return await forecastAfter(forecaster, manifest.intervals, history, 30);
  } finally {
    await close();
  }
}

export const finite = (values: ArrayLike<number>) => Array.from(values).every(Number.isFinite);

export async function expectNumbers({ artifact, scores }: FittedModel, history: Table): Promise<void> {
  expect(finite([scores.rmse, scores.mae, scores.mse])).toBe(true);
  const { forecast, lower, upper } = await serve(artifact, history);
  expect(finite(forecast) && finite(lower) && finite(upper)).toBe(true);
  expect(lower.every((low, at) => low <= (upper[at] ?? Number.NaN))).toBe(true);
}

const quickSettings = {
  HIDDEN_SIZE: setting.int(4, { min: 1 }),
  NUM_LAYERS: setting.int(1, { min: 1 }),
  EPOCHS: setting.int(1, { min: 1 }),
};
/** A network of four cells that is trained for one epoch; other families as they are. */
export const hardlyTrained = (family: Family): Family =>
  "EPOCHS" in family.settings ? { ...family, settings: { ...family.settings, ...quickSettings } } : family;

export const evaluateOn = (changes: Partial<EvaluationTask>) =>
  evaluateStation({
    station: "s",
    train: plain,
    test: plain,
    targets,
    families: families.map(hardlyTrained),
    clock: { now: () => 0, monotonicMs: () => 0, sleep: async () => {} },
    signal: new AbortController().signal,
    onProgress: () => {},
    ...changes,
  });
