import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCsv } from "@flts/forecasting/table/csv";
import { beforeAll, describe, expect, test } from "vitest";
import { evaluateStation, type StationEvaluation } from "../../src/evaluation/station.ts";
import { familyOf } from "../../src/registry.ts";
import { hardlyTrained } from "../support/quick-stages.ts";

const folder = process.env["FLTS_DATASET_DIR"] ?? "";
const stations = ["PobleSec", "ElBorn"];

const nrmseOf = ({ families, baselines }: StationEvaluation, wanted: string) =>
  [...families, ...baselines].find(({ name }) => name === wanted)?.nrmse ?? Number.NaN;

describe.skipIf(folder === "")("on real stations (needs FLTS_DATASET_DIR)", () => {
  const evaluations: StationEvaluation[] = [];

  beforeAll(async () => {
    for (const station of stations) {
      const read = (name: string) => readCsv(readFileSync(join(folder, name)), { file: name });
      evaluations.push(
        await evaluateStation({
          station,
          train: read(`${station}.csv`),
          test: read(`${station}_test.csv`),
          targets: ["down", "up"],
          families: [familyOf("LINEAR"), familyOf("PROPHET"), familyOf("GRU")].map(hardlyTrained),
          clock: { now: () => 0, monotonicMs: () => 0, sleep: async () => {} },
          signal: new AbortController().signal,
          onProgress: () => {},
        }),
      );
    }
  }, 300_000);

  test("what the gate promotes beats log-AR in the mean by at least a hundredth, and loses to it nowhere", () => {
    const ratios = evaluations.map((one) => nrmseOf(one, one.best ?? "") / nrmseOf(one, "log-ar"));
    expect(Math.max(...ratios)).toBeLessThan(1);
    expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeLessThan(0.99);
  });

  test("intervals hold nine tenths of the values: within 4 points for each family and target, 2 in the mean", () => {
    const covered = evaluations.flatMap(({ families }) =>
      families.flatMap(({ perTarget }) =>
        Object.values(perTarget).map(({ coverage }) => coverage ?? Number.NaN),
      ),
    );
    expect(covered).toHaveLength(12);
    for (const share of covered) expect(Math.abs(share - 0.9)).toBeLessThan(0.04);
    const mean = covered.reduce((sum, share) => sum + share, 0) / covered.length;
    expect(Math.abs(mean - 0.9)).toBeLessThan(0.02);
  });
});
