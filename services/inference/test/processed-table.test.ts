import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { rowCount } from "@flts/forecasting/table/table";
import { expect, it } from "vitest";
import { readProcessedTable } from "../src/processed-table.ts";
import { decodeTable } from "../src/table-decoding.ts";

const raw = synthesizeStation({ seed: 7, rows: 12_000, startMs: Date.UTC(2018, 1, 5) });

function processedTable(metadata = true): Uint8Array {
  const { train, scaling } = preprocessPair(raw, raw, defaultSettings("a.csv", "b.csv"));
  return writeParquet(train, metadata ? { scaling: JSON.stringify(scaling) } : {});
}

it("gives a large table as it is decoded here, from a thread of its own", async () => {
  const bytes = processedTable();
  expect(bytes.length).toBeGreaterThan(512 * 1024);
  const table = await readProcessedTable(bytes);
  expect(rowCount(table)).toBe(12_000);
  expect(table).toEqual(await decodeTable(bytes));
});

it("says what is wrong with a large table", async () => {
  await expect(readProcessedTable(processedTable(false))).rejects.toMatchObject({ code: "TABLE_INVALID" });
  await expect(readProcessedTable(new Uint8Array(1024 ** 2))).rejects.toMatchObject({
    code: "TABLE_INVALID",
  });
});
