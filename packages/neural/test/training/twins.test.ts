import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import { recurrentCase } from "../support/recurrent-case.ts";
import { recurrentParity } from "../support/recurrent-suite.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const runs = ["no_clip", "clip_0.05", "ragged_batch_10"];

describe("an LSTM on made-up data trains as in PyTorch", () => {
  recurrentParity(runs, () => recurrentCase(fixture("lstm_twin.json")));
});

describe("a GRU with two targets and two steps ahead trains as in PyTorch", () => {
  recurrentParity(runs, () => recurrentCase(fixture("gru_twin.json")));
});
