import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeScratch, resultOf, runFlts, stationCsv } from "./flts.ts";

const scratch = makeScratch();
afterAll(() => scratch.remove());

const good = stationCsv(600);
const lines = good.split("\n");
const withLine = (index: number, change: (line: string) => string): string =>
  lines.map((line, at) => (at === index ? change(line) : line)).join("\n");
const cell = (line: string, column: number, value: string): string =>
  line
    .split(",")
    .map((text, at) => (at === column ? value : text))
    .join(",");

const demo = (data: string, home: string, environment: Record<string, string> = {}) =>
  runFlts(["demo", "--home", home, "--data", data, "--dataset", "a", "--families", "LINEAR"], environment);

/** The last line that is about the fault. */
const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

test.each([
  ["a header without time", good.replace("time,", "when,"), /a\.csv.*No column labeled 'time'/],
  ["text in a number column", withLine(5, (line) => cell(line, 3, "many")), /a\.csv.*6.*rnti_count/],
  [
    "an impossible date",
    withLine(4, (line) => cell(line, 0, "2024-02-30 00:00:00")),
    /a\.csv.*5.*2024-02-30/,
  ],
  ["unsorted times", withLine(7, () => lines[2] ?? ""), /a\.csv.*8/],
  ["a duplicate time", withLine(7, () => lines[7 - 1] ?? ""), /a\.csv.*8/],
  ["a short row", withLine(9, (line) => line.split(",").slice(0, 4).join(",")), /a\.csv.*10/],
  ["binary", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0xff, 0xfe, 1, 2, 3]), /a\.csv/],
  ["a header alone", `${lines[0]}\n`, /a\.csv/],
])("%s ends in one clear line, a dead letter, and no object", async (_name, train, message) => {
  const home = scratch.home();
  const ended = await demo(scratch.dataset(train), home);
  expect(ended.code).toBe(1);
  expect(lastLine(ended.stderr)).toMatch(message);
  const status = resultOf(await runFlts(["status", "--home", home, "--json"])) as { deadLetters: unknown };
  expect(status.deadLetters).toEqual([{ topic: "DLQ-preprocess", count: 1 }]);
  const processed = join(home, "store", "processed-data");
  expect(existsSync(processed) ? readdirSync(processed) : []).toEqual([]);
});

test("an empty file and a missing one are named before anything starts", async () => {
  const empty = await demo(scratch.dataset(""), scratch.home());
  expect(empty.code).toBe(1);
  expect(lastLine(empty.stderr)).toMatch(/a\.csv.*empty/);
  const missing = await runFlts([
    "demo",
    "--home",
    scratch.home(),
    "--data",
    scratch.dataset(good),
    "--dataset",
    "b",
  ]);
  expect(missing.code).toBe(1);
  expect(lastLine(missing.stderr)).toMatch(/b\.csv/);
});

test("too few rows end in a failed training with its dead letter, and nothing is promoted", async () => {
  const home = scratch.home();
  const ended = await demo(scratch.dataset(lines.slice(0, 31).join("\n")), home);
  expect(ended.code).toBe(1);
  expect(lastLine(ended.stderr)).toMatch(/LINEAR.*TABLE_TOO_SHORT.*30/);
  const status = resultOf(await runFlts(["status", "--home", home, "--json"]));
  expect(status).toMatchObject({
    stations: [{ champion: null }],
    deadLetters: [{ topic: "DLQ-training-data", count: 1 }],
  });
});

test.each([
  ["a number that is none", { EPOCHS: "many" }, /EPOCHS/],
  ["a choice that is none", { PROMOTION_GATE: "sometimes" }, /PROMOTION_GATE.*strict, baseline, off/],
  ["a setting out of range", { LEARNING_RATE: "-1" }, /LEARNING_RATE/],
] as const)(
  "%s in the environment ends with code 78 and the variable's name",
  async (_name, environment, message) => {
    const ended = await demo(scratch.dataset(good), scratch.home(), environment);
    expect(ended.code).toBe(78);
    expect(lastLine(ended.stderr)).toMatch(message);
  },
);

test("a target that the table lacks fails the training by its name", async () => {
  const home = scratch.home();
  const ended = await demo(scratch.dataset(good), home, { TARGETS: "sideways" });
  expect(ended.code).toBe(1);
  expect(lastLine(ended.stderr)).toMatch(/COLUMN_MISSING.*sideways/);
});

test.each([
  ["an unknown command", ["sing"], 2],
  ["an unknown option", ["demo", "--loud"], 2],
  ["an unknown family", ["demo", "--families", "ORACLE"], 2],
] as const)("%s is a usage error in one line", async (_name, parameters, code) => {
  const ended = await runFlts(parameters);
  expect(ended.code).toBe(code);
  expect(ended.stderr.trim().split("\n")).toHaveLength(1);
});
