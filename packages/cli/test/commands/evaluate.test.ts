import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate } from "@flts/cli/commands/evaluate";
import { createOutput } from "@flts/cli/terminal/output";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flts-evaluate-"));
  for (const [seed, name] of ["North", "South"].entries()) {
    const table = synthesizeStation({ seed, rows: 1_200, startMs: Date.UTC(2024, 1, 28) });
    await writeFile(join(folder, `${name}.csv`), toCsv(sliceRows(table, 0, 1_000)));
    await writeFile(join(folder, `${name}_test.csv`), toCsv(sliceRows(table, 1_000)));
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function run(changes: { stations?: readonly string[]; targets?: readonly string[] } = {}) {
  let out = "";
  let err = "";
  const streams = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  const options = {
    folder,
    stations: [],
    families: ["LINEAR"],
    targets: ["down"],
    reportFolder: join(folder, "report"),
    ...changes,
  };
  await evaluate(options, createOutput(true, streams, {}), new AbortController().signal);
  return { result: JSON.parse(out), err };
}

test("every station of a folder is evaluated, over the leap day too, and a report is written", async () => {
  const { result, err } = await run({ targets: ["down", "up"] });
  expect(result.stations.map(({ station }: { station: string }) => station)).toEqual(["North", "South"]);
  expect(result.mean.map(({ name }: { name: string }) => name)).toContain("best");
  expect(err).toContain("mean of 2 stations");
  expect((await readdir(join(folder, "report"))).toSorted()).toEqual([
    "North-down.svg",
    "North-up.svg",
    "South-down.svg",
    "South-up.svg",
    "report.md",
  ]);
  expect(await readFile(join(folder, "report", "report.md"), "utf8")).toContain("## South");
});

test("only the stations asked for are evaluated", async () => {
  const { result } = await run({ stations: ["South"] });
  expect(result.stations).toHaveLength(1);
});

test("an unknown station or target is told with those that exist", async () => {
  await expect(run({ stations: ["East"] })).rejects.toThrow(/East.*North, South/s);
  await expect(run({ targets: ["sideways"] })).rejects.toThrow(/sideways.*down, up/s);
});
