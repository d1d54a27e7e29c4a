import type { Centre } from "@flts/forecasting/evaluation/band";
import {
  type ChooseCentre,
  LEARNING,
  type Learning,
  learnCentre,
} from "@flts/forecasting/evaluation/band-centre";

/** A way to make intervals of what a model forecast on rows that it was not fitted on. */
export interface Candidate {
  readonly name: string;
  /** Which of those rows: the calibrate rows alone, or the score rows as well. */
  readonly rows: "calibrate" | "calibrate and score";
  readonly chooseCentre: ChooseCentre;
  /** About how many rows forecasts of several steps start from; all when infinite. */
  readonly originsAhead: number;
}

const always =
  (centre: Centre): ChooseCentre =>
  () =>
    centre;
const within = (reach: number | null): ChooseCentre => always({ weight: 1, reach });
const learning =
  (changes: Partial<Learning>): ChooseCentre =>
  (next, choice) =>
    learnCentre(next, choice, { ...LEARNING, ...changes });
const meanUnlessWorse =
  (tolerance: number): Learning["verdict"] =>
  (ratios) =>
    Math.max(...ratios) > 1 + tolerance ? Number.POSITIVE_INFINITY : LEARNING.verdict(ratios);
const farther = [4, null].flatMap((reach) =>
  [0.25, 0.5, 0.75, 1].map((weight): Centre => ({ weight, reach })),
);

const centres: Readonly<Record<string, ChooseCentre>> = {
  "the last value": always({ weight: 0, reach: 0 }),
  "the forecast within ½": within(0.5),
  "the forecast within 1": within(1),
  "the forecast within 2": within(2),
  "the forecast within 4": within(4),
  "the forecast": within(null),
  "learnt, 4 blocks, least in the worst": learning({ verdict: (ratios) => Math.max(...ratios) }),
  "learnt, 4 blocks, mean": learning({}),
  "learnt, 4 blocks, mean where none is worse": learning({ verdict: meanUnlessWorse(0) }),
  "learnt, 4 blocks, mean where none is worse by 2 %": learning({ verdict: meanUnlessWorse(0.02) }),
  "learnt, 4 blocks, mean where none is worse by 5 %": learning({ verdict: meanUnlessWorse(0.05) }),
  "learnt, 2 blocks, mean": learning({ blocks: 2 }),
  "learnt, 8 blocks, mean": learning({ blocks: 8 }),
  "learnt, 4 blocks, mean, any reach": learning({ among: [...LEARNING.among, ...farther] }),
  "learnt, 4 blocks, mean, weight 1": learning({
    among: LEARNING.among.filter(({ weight }) => weight === 1),
  }),
};

export const candidates: readonly Candidate[] = (["calibrate", "calibrate and score"] as const).flatMap(
  (rows) =>
    Object.entries(centres).map(([name, chooseCentre]) => ({
      name,
      rows,
      chooseCentre,
      originsAhead: Number.POSITIVE_INFINITY,
    })),
);

/** What the winner is tried with afterwards. */
export const fewerOrigins = [800, 400, 200, 100];
