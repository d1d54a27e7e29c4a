import { judgeCandidates } from "@flts/forecasting/evaluation/gate";
import { readCsv } from "@flts/forecasting/table/csv";
import { createTable, mapColumns, sliceRows, type Table } from "@flts/forecasting/table/table";
import { describe, expect, test } from "vitest";
import { families } from "../src/registry.ts";
import {
  column,
  evaluateOn,
  expectNumbers,
  finite,
  measured,
  plain,
  prepare,
  serve,
  spring,
  train,
} from "./support/quick-stages.ts";

/** What cannot be learnt from or forecast after ends in one error that says what to do, in every family alike. */

const DAY_ROWS = 720;

describe.each(families.map(({ name }) => name))("%s", (name) => {
  /** Members that an ensemble of a round could have. */
  const membersOf = async (table: Table) =>
    name === "ENSEMBLE"
      ? [(await train("LINEAR", prepare(table))).artifact, (await train("LSTM", prepare(table))).artifact]
      : [];

  test("refuses one row, and a row less than four windows, and says how many it needs", async () => {
    const members = await membersOf(plain);
    const least = name === "PROPHET" ? 8 : 44;
    for (const rows of [1, least - 1]) {
      const failing = train(name, prepare(sliceRows(plain, 0, rows)), { members });
      await expect(failing).rejects.toMatchObject({
        code: "TABLE_TOO_SHORT",
        message: expect.stringMatching(`Not enough rows \\(${rows}\\).*at least ${least}`),
      });
    }
    const enough = sliceRows(plain, 0, least);
    const fitted = await train(name, prepare(enough), { members: await membersOf(enough) });
    await expectNumbers(fitted, enough);
  });

  test("refuses a target that does not exist, naming those that do", async () => {
    const failing = train(name, prepare(plain), { wanted: ["sideways"], members: await membersOf(plain) });
    await expect(failing).rejects.toMatchObject({ code: "COLUMN_MISSING" });
    await expect(failing).rejects.toThrow(/'sideways'.*down, up/);
  });

  test("refuses a target without a number, which preprocessing has left out", async () => {
    const empty = column(plain, ["up"], () => Number.NaN);
    const failing = train(name, prepare(empty), { members: await membersOf(plain) });
    await expect(failing).rejects.toMatchObject({ code: "COLUMN_MISSING" });
    await expect(failing).rejects.toThrow(/'up'/);
  });

  test("serves after history with holes, and refuses what is too short or lacks a column", async () => {
    const members = await membersOf(plain);
    const { artifact } = await train(name, prepare(plain), { members });
    const { window } = artifact.manifest;
    for (const history of [
      sliceRows(plain, 0, window),
      mapColumns(sliceRows(plain, 0, window), (values) => values.map(() => Number.NaN)),
      spring,
    ]) {
      const { forecast, lower, upper } = await serve(artifact, history);
      expect(finite(forecast) && finite(lower) && finite(upper)).toBe(true);
    }
    await expect(serve(artifact, sliceRows(plain, 0, window - 1))).rejects.toMatchObject({
      code: expect.stringMatching(/TABLE_TOO_SHORT|TABLE_INVALID/),
    });
    const bare = createTable(plain.timesMs, ["up"], [plain.values[plain.columns.indexOf("up")]!]);
    await expect(serve(artifact, bare)).rejects.toMatchObject({ code: "COLUMN_MISSING" });
  });
});

test("a table of nothing but missing cells is refused before any family sees it", () => {
  const nothing = mapColumns(plain, (values) => values.map(() => Number.NaN));
  expect(() => prepare(nothing)).toThrow(expect.objectContaining({ code: "TABLE_TOO_SHORT" }));
});

test("the hour that clocks repeat in autumn is refused with the line it begins at", () => {
  const stamps = ["02:56:00", "02:58:00", "02:00:00"].map((time) => `2024-10-27 ${time},1,1`);
  const csv = ["time,down,up", ...stamps, ""].join("\n");
  expect(() => readCsv(new TextEncoder().encode(csv), { file: "s.csv" })).toThrow(
    expect.objectContaining({ code: "CSV_INVALID", message: expect.stringMatching(/line 4.*UTC/) }),
  );
});

describe("fifty rows", () => {
  test("make a cold start, said to be judged on few rows", async () => {
    const found = await evaluateOn({ train: sliceRows(plain, 0, 50) });
    expect(found.verdict).toBe("cold_start");
    expect(found.reason).toMatch(/on only \d+ rows/);
  });

  test("replace no champion: the challenger is held for want of rows", () => {
    const decision = judgeCandidates({
      mode: "strict",
      candidates: [{ id: "LINEAR", score: 0.1, losses: new Float64Array(11).fill(0.1) }],
      persistence: new Float64Array(11).fill(1),
      champion: new Float64Array(11).fill(1),
      seed: 1,
    });
    expect(decision).toMatchObject({ verdict: "held", reason: expect.stringMatching(/11, 30 are needed/) });
  });

  test("leave an ensemble of families with other windows out, and say so", async () => {
    const found = await evaluateOn({ train: sliceRows(plain, 0, 50) });
    expect(found.failed).toMatchObject([{ family: "ENSEMBLE", code: "TABLE_TOO_SHORT" }]);
  });
});

test.each([
  ["XX", /XX.*ISO 3166/],
  ["ES-XX", /regions/],
])(
  "a country without known holidays (%s) is refused, with what to give instead",
  async (country, message) => {
    const failing = train("PROPHET", prepare(plain), { settings: { COUNTRY: country } });
    await expect(failing).rejects.toMatchObject({ code: "SETTINGS_INVALID" });
    await expect(failing).rejects.toThrow(message);
  },
);

test.each(["none", "US"])("no holiday in the table (COUNTRY=%s) is no obstacle", async (country) => {
  const march = measured(2 * DAY_ROWS, Date.UTC(2024, 2, 5));
  await expectNumbers(await train("PROPHET", prepare(march), { settings: { COUNTRY: country } }), march);
});
