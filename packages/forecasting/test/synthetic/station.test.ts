import { meanOf } from "@flts/common/scaler/sum";
import { describe, expect, test } from "vitest";
import { stationColumns, synthesizeStation } from "../../src/synthetic/station.ts";
import { toCsv } from "../../src/synthetic/to-csv.ts";
import { readCsv } from "../../src/table/csv.ts";
import { columnOf } from "../../src/table/table.ts";

const startMs = Date.UTC(2018, 1, 5, 23, 40);
const station = synthesizeStation({ seed: 7, rows: 15_000, startMs });
const column = (name: string) => columnOf(station, name);

function correlation(first: Float64Array, second: Float64Array): number {
  const [a, b] = [meanOf(first), meanOf(second)];
  const products = first.map((value, row) => (value - a) * ((second[row] ?? 0) - b));
  return meanOf(products) / (spread(first, a) * spread(second, b));
}
const spread = (values: Float64Array, mean: number) =>
  Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
const logs = (values: Float64Array) => values.map(Math.log1p);
const lagged = (values: Float64Array, lag: number) =>
  correlation(values.subarray(lag), values.subarray(0, values.length - lag));

describe("a synthetic station", () => {
  test("has the columns and the two-minute grid of a real one", () => {
    expect(station.columns).toEqual(stationColumns);
    expect(station.timesMs[0]).toBe(startMs);
    expect(
      station.timesMs.subarray(1).every((time, row) => time - (station.timesMs[row] ?? 0) === 120_000),
    ).toBe(true);
  });

  test("is the same for the same seed and another for another", () => {
    const options = { seed: 7, rows: 50, startMs };
    expect(synthesizeStation(options)).toEqual(synthesizeStation(options));
    expect(synthesizeStation({ ...options, seed: 8 })).not.toEqual(synthesizeStation(options));
  });

  test("lacks the uplink's MCS exactly where nothing was sent up", () => {
    const silent = [...column("up").entries()].filter(([, up]) => up === 0).map(([row]) => row);
    expect(silent.length).toBeGreaterThan(5);
    for (const [name, values] of stationColumns.map((each) => [each, column(each)] as const)) {
      const missing = [...values.entries()].filter(([, value]) => Number.isNaN(value)).map(([row]) => row);
      expect(missing).toEqual(name === "mcs_up" || name === "mcs_up_var" ? silent : []);
    }
  });

  test("has traffic of the size and the heavy tail of Poble Sec (reference behaviour §15.2)", () => {
    const down = column("down");
    expect(meanOf(down)).toBeGreaterThan(0.9e8);
    expect(meanOf(down)).toBeLessThan(1.9e8);
    expect(Math.max(...down) / meanOf(down)).toBeGreaterThan(8);
    expect(meanOf(column("up")) / meanOf(down)).toBeLessThan(0.2);
    expect(meanOf(column("mcs_down").subarray(0))).toBeGreaterThan(11);
  });

  test("remembers its last minutes, and the day before more than the night between", () => {
    const down = logs(column("down"));
    expect(lagged(down, 1)).toBeGreaterThan(0.85);
    expect(lagged(down, 10)).toBeGreaterThan(0.65);
    expect(lagged(down, 720)).toBeGreaterThan(0.4);
    expect(lagged(down, 360)).toBeLessThan(-0.2);
  });

  test.each([
    ["down", "rb_down", 0.85],
    ["up", "rb_up", 0.85],
    ["mcs_down", "mcs_down_var", 0.9],
    ["down", "rb_down_var", 0.45],
    ["rnti_count", "rb_up_var", 0.7],
    ["down", "up", 0.3],
  ])("correlates %s with %s", (first, second, least) => {
    expect(correlation(column(first), column(second))).toBeGreaterThan(least);
  });

  test("survives a station file bit for bit", () => {
    expect(readCsv(new TextEncoder().encode(toCsv(station)), { file: "Synthetic.csv" })).toEqual(station);
  });
});
