import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasetsAmong, locateDatasets, synthesizeDataset } from "@flts/cli/pipeline/dataset";
import { readTable } from "@flts/cli/pipeline/measurements";
import { rowCount } from "@flts/forecasting/table/table";
import { expect, onTestFinished, test } from "vitest";

function folderWith(...files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "flts-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const file of files) writeFileSync(join(folder, file), "time,down\n");
  return folder;
}

test("a dataset is a pair of files", () => {
  expect(datasetsAmong(["B.csv", "A_test.csv", "A.csv", "B_test.csv", "C.csv", "notes.txt"])).toEqual([
    "A",
    "B",
  ]);
});

test("named datasets are found with both their files", async () => {
  const folder = folderWith("A.csv", "A_test.csv", "B.csv", "B_test.csv");
  expect(await locateDatasets(folder, ["B"])).toEqual([
    {
      name: "B",
      train: { name: "B.csv", path: join(folder, "B.csv") },
      test: { name: "B_test.csv", path: join(folder, "B_test.csv") },
    },
  ]);
});

test("without a name a folder's only dataset is taken, and PobleSec where there are more", async () => {
  expect((await locateDatasets(folderWith("A.csv", "A_test.csv"), []))[0]?.name).toBe("A");
  const several = folderWith("A.csv", "A_test.csv", "PobleSec.csv", "PobleSec_test.csv");
  expect((await locateDatasets(several, []))[0]?.name).toBe("PobleSec");
});

test("several datasets and no name ask for one", async () => {
  const folder = folderWith("A.csv", "A_test.csv", "B.csv", "B_test.csv");
  await expect(locateDatasets(folder, [])).rejects.toThrow("choose with --dataset among A, B");
});

test("a folder that is not there is named, and so is a missing file with what the folder has", async () => {
  await expect(locateDatasets("/nowhere/at/all", [])).rejects.toThrow(
    /cannot read the folder \/nowhere\/at\/all \(ENOENT\): .*--data/,
  );
  const folder = folderWith("A.csv", "A_test.csv", "C.csv");
  await expect(locateDatasets(folder, ["C"])).rejects.toThrow(
    `cannot read ${join(folder, "C_test.csv")} (ENOENT)`,
  );
  await expect(locateDatasets(folder, ["C"])).rejects.toThrow("the folder has A");
  await expect(locateDatasets(folderWith("A.csv"), [])).rejects.toThrow("holds no pair of files");
});

test("an empty file is named before anything is started", async () => {
  const folder = folderWith("A.csv", "A_test.csv");
  writeFileSync(join(folder, "A_test.csv"), "");
  await expect(locateDatasets(folder, [])).rejects.toThrow(`${join(folder, "A_test.csv")} is an empty file`);
});

test("a synthetic dataset is the same every time, and its test continues its training by one step", async () => {
  const [one, two] = [synthesizeDataset("x"), synthesizeDataset("x")];
  expect(one).toEqual(two);
  expect(synthesizeDataset("y")).not.toEqual(one);
  const [train, later] = [await readTable(one.train), await readTable(one.test)];
  expect(rowCount(train)).toBe(4 * rowCount(later));
  expect((later.timesMs[0] ?? 0) - (train.timesMs.at(-1) ?? 0)).toBe(120_000);
});
