import { globSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectRef } from "@flts/common/ports/object-store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOperator, type Operator } from "./operator.ts";

let operator: Operator;
beforeEach(async () => {
  operator = await createOperator();
});
afterEach(() => operator.leave());

test("a table that nobody refers to goes when it is old, one that a head names stays", async () => {
  const { home, backends } = operator;
  const [orphan, present] = ["orphan", "present"].map((name) => ({
    bucket: "processed-data",
    key: keys.processedTable("", sha256(name), "processed_data"),
  })) as [ObjectRef, ObjectRef];
  for (const ref of [orphan, present]) await backends.store.put(ref, Buffer.from("x"));
  const head = { bucket: "processed-data", key: keys.processedHead("", "processed_data") };
  await backends.store.put(head, Buffer.from(JSON.stringify({ output_object: present.key })));
  for (const file of globSync(join(home, "store", "processed-data", "**", "*")))
    utimesSync(file, new Date(0), new Date(0));
  const dry = await operator.flts("gc", "--dry-run");
  expect(dry.result).toMatchObject({ swept: [orphan], kept: 1 });
  expect((await operator.flts("gc")).result).toMatchObject({ swept: [orphan], kept: 1 });
  expect([await backends.store.head(orphan), await backends.store.head(present)]).toEqual([
    null,
    expect.objectContaining({ sizeBytes: 1 }),
  ]);
});

test("what is young stays, and a dry run says so", async () => {
  const { store } = operator.backends;
  const ref = {
    bucket: "processed-data",
    key: keys.processedTable("", sha256("t"), "processed_data"),
  };
  await store.put(ref, Buffer.from("x"));
  for (const args of [["gc", "--dry-run"], ["gc"]]) {
    const { result, said } = await operator.flts(...args);
    expect(result).toMatchObject({ dryRun: args.length === 2, swept: [], kept: 1 });
    expect(said).toContain("1 stay");
  }
  expect(await store.head(ref)).not.toBeNull();
});
