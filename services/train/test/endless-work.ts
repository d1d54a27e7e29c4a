import { familyOf } from "@flts/families/registry";
import { z } from "zod";
import type { ToChild } from "../src/child-protocol.ts";
import { work } from "./small-model.ts";

/** A training that reports every few milliseconds and ends only when it is ended. */
export const endlessWork: ToChild = {
  ...work,
  family: "LSTM",
  settings: {
    ...z.object(familyOf("LSTM").settings).parse({}),
    HIDDEN_SIZE: 4,
    NUM_LAYERS: 1,
    EPOCHS: 100_000,
    EARLY_STOPPING: false,
  },
};
