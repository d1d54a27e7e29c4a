import { reportMarkdown } from "@flts/cli/evaluation/report";
import { protocolOf, resultOf } from "@flts/cli/evaluation/result";
import { forecastSvg } from "@flts/cli/evaluation/svg";
import { meanText, stationText } from "@flts/cli/evaluation/text";
import { createStyle } from "@flts/cli/terminal/style";
import { expect, test } from "vitest";
import { smallEvaluation } from "./small-evaluation.ts";

const targets = ["down", "up"];
const mean = [
  { name: "best", nrmse: 0.5 },
  { name: "persistence", nrmse: 0.5625 },
];
const plain = { style: createStyle(false), width: 80 };

test("people see each target's table by nrmse, the choice, the failures and how sure the differences are", () => {
  const text = stationText(smallEvaluation, targets, plain).join("\n");
  const order = ["LINEAR", "persistence", "GRU"].map((name) => text.indexOf(`\n${name}`));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(text).toContain("0.5000");
  expect(text).toContain("90.0 %");
  expect(text).toContain("1 min 11 s");
  expect(text).toContain("The gate would promote LINEAR");
  expect(text).toContain("LSTM was not trained (TRAINING_DIVERGED): the loss is no number");
  expect(text).toContain("LINEAR − GRU: nrmse -0.1250, 90 % interval -0.2000 … -0.0500");
  expect(text).toMatch(/up .*nrmse/);
  expect(text).toContain("forecast by LINEAR, one step ahead");
  expect(text).not.toContain("NaN");
});

test("a station that the gate would promote nothing for says why", () => {
  const rejected = { ...smallEvaluation, best: null, reason: "GRU: worse than persistence" };
  const line = "The gate would promote none of them: GRU: worse than persistence";
  expect(stationText(rejected, targets, plain)).toContain(line);
  expect(reportMarkdown(protocolOf(targets), [rejected], mean)).toContain(`${line}.`);
});

test("the mean is sorted, the best first", () => {
  expect(meanText(mean.toReversed(), 2, createStyle(false)).map((line) => line.trim())).toEqual([
    expect.stringMatching(/^mean of 2 stations +nrmse$/),
    expect.stringMatching(/^─+$/),
    expect.stringMatching(/^best +0\.5000$/),
    expect.stringMatching(/^persistence +0\.5625$/),
  ]);
});

test("programs get the figures by the names that were promised", () => {
  const result = JSON.parse(JSON.stringify(resultOf(protocolOf(targets), [smallEvaluation], mean)));
  expect(result).toMatchObject({
    protocol: { targets, horizon: 1 },
    stations: [
      {
        station: "North <1>",
        rows: { train: 1_000, test: 13 },
        best: "LINEAR",
        families: [
          {
            family: "LINEAR",
            nrmse: 0.5,
            rmse: 2_000_000,
            mae: 1_000_000,
            r2: 0.5,
            coverage90: 0.9,
            width90: 1.25,
            seconds: 0.42,
            perTarget: { down: { nrmse: 0.5, coverage90: 0.9 }, up: { nrmse: null } },
          },
          { family: "GRU" },
        ],
        baselines: [{ name: "persistence", nrmse: 0.5625, rmse: 2_000_000, mae: 1_000_000 }],
        pairs: [{ a: "LINEAR", b: "GRU", difference: -0.125, low: -0.2, high: -0.05 }, {}],
      },
    ],
    mean,
  });
  expect(result.stations[0]).not.toHaveProperty("forecasts");
});

test("the report shows the same figures, and its pictures", () => {
  const report = reportMarkdown(protocolOf(targets), [smallEvaluation], mean);
  expect(report).toContain("| **best** | 0.5000 |");
  expect(report).toContain("| **LINEAR** | 0.5000 | 2 M | 1 M | 0.500 | 90.0 % | 1.25 | 0.4 s |");
  expect(report).toContain("| persistence | 0.5625 | 2 M | 1 M | 0.500 |  |  |  |");
  expect(report).toContain("(North%20%3C1%3E-down.svg)");
  expect(report).toContain("| LINEAR − GRU | -0.1250 | -0.2000 … -0.0500 |");
});

test("a picture has both lines and the interval, cut off above what was measured, and escapes names", () => {
  const svg = forecastSvg(smallEvaluation, targets, "down");
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg.match(/<polygon/g)).toHaveLength(1);
  expect(svg).toContain("North &lt;1&gt;, down, measured");
  expect(svg).not.toContain("NaN");
  const heights = [...svg.matchAll(/[\d.]+,([\d.]+)/g)].map(([, y]) => Number(y));
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(32);
  expect(forecastSvg(smallEvaluation, targets, "up")).not.toContain("NaN");
});
