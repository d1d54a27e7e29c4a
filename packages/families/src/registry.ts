import { FltsError } from "@flts/common/contracts/errors";
import { ensembleOf } from "./ensemble/ensemble.ts";
import type { Family } from "./family.ts";
import { linear } from "./linear/linear.ts";
import { prophet } from "./prophet/prophet.ts";
import { gru, lstm } from "./recurrent/recurrent.ts";

/** Every model family. A new one is a folder and a line here. */
const single: readonly Family[] = [lstm, gru, prophet, linear];
export const families: readonly Family[] = [...single, ensembleOf(single)];

export const familyNames: readonly string[] = families.map(({ name }) => name);

/** @throws MODEL_UNKNOWN naming those that exist */
export function familyOf(name: string): Family {
  const family = families.find((candidate) => candidate.name === name.toUpperCase());
  if (family === undefined)
    throw new FltsError(
      "MODEL_UNKNOWN",
      `MODEL_TYPE ${JSON.stringify(name)} is not known; there are ${familyNames.join(", ")}`,
    );
  return family;
}
