import { writeParquet } from "@flts/forecasting/table/parquet";
import { describe, expect, it } from "vitest";
import { storeBytes, storeTable, tableFrom } from "../live/lines.ts";
import { createWorld, table } from "./world.ts";

describe("bad tables", () => {
  const scaled = { scaling: JSON.stringify({ kind: "none", columns: [] }) };
  it.each([
    ["of other columns", "COLUMN_MISSING", () => ({ ...table, columns: ["down", "sideways"] })],
    ["without rows", "TABLE_TOO_SHORT", () => tableFrom(0, [])],
    ["with times that fall", "TABLE_INVALID", () => ({ ...table, timesMs: table.timesMs.toReversed() })],
  ])("%s are dead letters (%s), and the next one is handled", async (_, code, make) => {
    const { startReplica, claim, told, deadLetters, settled } = await createWorld();
    startReplica();
    await claim(make());
    await claim(table);
    await settled(2);
    expect(await deadLetters()).toEqual([code]);
    expect(await told()).toHaveLength(1);
  });

  it.each([
    ["that are no tables", Buffer.from("not parquet")],
    ["without scaling", writeParquet(table)],
    ["with columns that were not scaled", writeParquet(table, scaled)],
    ["without times", writeParquet(table, {}).map((byte, at) => (at < 64 ? 0 : byte))],
  ])("%s are dead letters", async (_, bytes) => {
    const { store, startReplica, publish, deadLetters, settled } = await createWorld();
    startReplica();
    await publish(await storeBytes(store.port, bytes));
    await settled(1);
    expect(await deadLetters()).toHaveLength(1);
  });

  it("in another bucket are not opened", async () => {
    const { store, startReplica, publish, deadLetters, settled } = await createWorld();
    startReplica();
    await publish({ ...(await storeTable(store.port, table)), bucket: "mlflow" });
    await settled(1);
    expect(await deadLetters()).toEqual(["CLAIM_FORBIDDEN"]);
  });
});
