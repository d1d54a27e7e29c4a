import { join } from "node:path";
import { describe } from "vitest";
import { recurrentCase } from "../support/recurrent-case.ts";
import { recurrentParity } from "../support/recurrent-suite.ts";

const folder = process.env["FLTS_FIXTURES_DIR"];
const runs = ["no_clip", "clip_1", "clip_0.05", "ragged_batch_24"];

describe.skipIf(!folder).each(["lstm", "gru"])(
  "a small %s network on real data trains as in PyTorch (needs FLTS_FIXTURES_DIR)",
  (cell) => {
    recurrentParity(runs, () => recurrentCase(join(folder ?? "", `${cell}_small.json`)));
  },
);
