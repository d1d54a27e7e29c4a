import { inferenceData, trainingData } from "@flts/common/contracts/events";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOperator, type Operator } from "./operator.ts";

let operator: Operator;
beforeEach(async () => {
  operator = await createOperator();
});
afterEach(() => operator.leave());

async function upload(name: string): Promise<void> {
  const { store } = operator.backends;
  const table = synthesizeStation({ seed: 1, rows: 60, startMs: Date.UTC(2024, 0, 1) });
  const put = (key: string, text: string) => store.put({ bucket: "dataset", key }, Buffer.from(text));
  await store.ensureBucket("dataset");
  await put(`${name}.csv`, toCsv(sliceRows(table, 0, 40)));
  await put(`${name}_test.csv`, toCsv(sliceRows(table, 40)));
}

async function claimed(topic: string): Promise<unknown[]> {
  const identifiers: unknown[] = [];
  for await (const { value } of operator.backends.log.browse(topic))
    identifiers.push((JSON.parse(Buffer.from(value).toString()) as { identifier: string }).identifier);
  return identifiers;
}

test("files that were uploaded become claims of the station that they are named for", async () => {
  await upload("Sants");
  const { code, said, result } = await operator.flts("preprocess", "--dataset", "Sants");
  expect(code).toBe(0);
  expect(said).toContain("40 + 20 rows");
  expect(result).toEqual({
    stations: [{ identifier: "Sants", round: expect.stringMatching(/^[0-9a-f]{64}$/), cached: false }],
  });
  expect(await claimed(trainingData.name)).toEqual(["Sants"]);
  expect(await claimed(inferenceData.name)).toEqual(["Sants"]);
});

test("files that are not there are named, with exit code 1", async () => {
  const { code, line } = await operator.flts("preprocess", "--dataset", "Sants");
  expect(code).toBe(1);
  expect(line).toContain("Sants.csv");
});
