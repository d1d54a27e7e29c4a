import { fitFamily } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows } from "@flts/forecasting/table/table";
import type { ToChild } from "../src/child-protocol.ts";

/** The smallest table that can be trained on, and a model of it. */

const station = synthesizeStation({ seed: 4, rows: 700, startMs: Date.UTC(2024, 0, 8) });
const { train, scaling } = preprocessPair(
  sliceRows(station, 0, 600),
  sliceRows(station, 600),
  defaultSettings("a.csv", "a_test.csv"),
);

export const parquet = writeParquet(train, { scaling: JSON.stringify(scaling), preprocess_config: "{}" });

export const work: ToChild = {
  family: "LINEAR",
  parquet,
  targets: ["down"],
  settings: { INPUT_SEQ_LEN: 10 },
  seed: "seed",
  provenance: {
    round: "round",
    work_key: "f".repeat(64),
    config_hash: "c",
    identifier: "",
    table: { bucket: "processed-data", object: "x", size: parquet.byteLength, sha256: "0".repeat(64) },
    code_version: "0.0.0",
  },
};

export const fitted = await fitFamily(familyOf(work.family), {
  ...work,
  signal: new AbortController().signal,
  onProgress: () => undefined,
});
