import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rollingErrors } from "../../src/live/rolling-error.ts";
import { scoreRows } from "../../src/live/score-rows.ts";
import { forecastAfter, tableFrom, tsOf } from "./lines.ts";

describe("scoreRows", () => {
  it("holds each row against the forecast of its time", () => {
    const rows = scoreRows(tableFrom(3, [10, 20]), [forecastAfter(2, [11, 17, 99])], null);
    expect(rows).toEqual([
      {
        ts: tsOf(3),
        forecasts: 1,
        targets: { down: { squared: 1, absolute: 1, inside: 1, persistence: 100 } },
      },
      {
        ts: tsOf(4),
        forecasts: 1,
        targets: { down: { squared: 9, absolute: 3, inside: 0, persistence: 400 } },
      },
    ]);
  });

  it("leaves out rows that had come before", () => {
    const rows = scoreRows(tableFrom(3, [10, 20, 30]), [forecastAfter(2, [11, 17, 30])], tsOf(4));
    expect(rows.map(({ ts }) => ts)).toEqual([tsOf(5)]);
  });

  it("leaves out cells without a value, rows without a forecast, and forecasts of other columns", () => {
    const table = tableFrom(0, [1, Number.NaN, 3, 4]);
    const other = forecastAfter(2, [1]);
    const ofNobody = { ...other, steps: other.steps.map((step) => ({ ...step, pred: { nobody: 1 } })) };
    expect(scoreRows(table, [forecastAfter(0, [1, 1]), ofNobody], null).map(({ ts }) => ts)).toEqual([
      tsOf(2),
    ]);
  });

  it("counts a row once, however many forecasts it had", () => {
    const [row] = scoreRows(tableFrom(1, [10]), [forecastAfter(0, [12]), forecastAfter(0, [10])], null);
    expect(row).toMatchObject({ forecasts: 2, targets: { down: { squared: 2, absolute: 1, inside: 0.5 } } });
  });

  it("knows no persistence where one of the forecasts knew no last value", () => {
    const unknown = forecastAfter(0, [12], { last: { down: null } });
    const [row] = scoreRows(tableFrom(1, [10]), [forecastAfter(0, [12]), unknown], null);
    expect(row?.targets["down"]?.persistence).toBeNull();
  });

  it("gives the same whatever tables the rows come in", () => {
    const values = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.nat(), (down, cut) => {
        const border = 1 + (cut % (down.length - 1));
        const forecasts = [forecastAfter(-1, down.toReversed()), forecastAfter(0, down)];
        const whole = scoreRows(tableFrom(0, down), forecasts, null);
        const first = scoreRows(tableFrom(0, down.slice(0, border)), forecasts, null);
        const rest = scoreRows(tableFrom(0, down), forecasts, tsOf(border - 1));
        expect([...first, ...rest]).toEqual(whole);
      }),
    );
  });
});

describe("rollingErrors", () => {
  it("is rmse, mae, coverage and skill over the rows", () => {
    const rows = scoreRows(tableFrom(1, [10, 20]), [forecastAfter(0, [11, 17])], null);
    expect(rollingErrors(rows)).toEqual({
      down: {
        rows: 2,
        rmse: Math.sqrt(5),
        mae: 2,
        coverage: 0.5,
        skill: 1 - Math.sqrt(5) / Math.sqrt(250),
      },
    });
  });

  it("has no skill to tell where persistence was right or is not known", () => {
    for (const last of [10, null]) {
      const rows = scoreRows(tableFrom(1, [10]), [forecastAfter(0, [11], { last: { down: last } })], null);
      expect(rollingErrors(rows)["down"]?.skill).toBeNull();
    }
  });

  it("is nothing of no rows", () => {
    expect(rollingErrors([])).toEqual({});
  });
});
