import type { FitOptions } from "../../src/fit.ts";

/** A training of `down` on a table, with what no test looks at. */
export const fitWork = (parquet: Uint8Array, changes: Partial<FitOptions> = {}): FitOptions => ({
  parquet,
  targets: ["down"],
  settings: {},
  seed: "seed",
  provenance: {
    round: "round",
    work_key: "f".repeat(64),
    config_hash: "hash",
    identifier: "",
    table: { bucket: "processed-data", object: "x", size: 1, sha256: "0".repeat(64) },
    code_version: "0.0.0",
  },
  signal: new AbortController().signal,
  onProgress: () => {},
  ...changes,
});
