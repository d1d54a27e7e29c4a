import { FltsError } from "@flts/common/contracts/errors";
import { meanOf } from "@flts/common/scaler/sum";
import { compareLosses, type LossComparison } from "./bootstrap.ts";

/**
 * How much a candidate has to show:
 * - `strict`: better than the champion beyond chance, and not worse than persistence;
 * - `baseline`: not worse than persistence; the champion is replaced unasked;
 * - `off`: nothing.
 */
export const gateModes = ["strict", "baseline", "off"] as const;
export type GateMode = (typeof gateModes)[number];

export type GateVerdict = "promoted" | "held" | "rejected" | "cold_start";

/** A model and its losses on the rows that all are measured on, `[rows]`. */
export interface Contender {
  readonly id: string;
  /** The reference's score, by which candidates are ranked: the lowest is tried first. */
  readonly score: number;
  readonly losses: Float64Array;
}

export interface GateInput {
  readonly mode: GateMode;
  readonly candidates: readonly Contender[];
  /** Losses of persistence on the same rows. */
  readonly persistence: Float64Array;
  /** The champion's losses on the same rows, null when there is none. Neither was trained on them. */
  readonly champion: Float64Array | null;
  readonly seed: number;
}

export interface GateDecision {
  readonly verdict: GateVerdict;
  /** The candidate it is about: the best that may go on or, when all are rejected, the best. */
  readonly candidate: string;
  readonly versusPersistence: LossComparison;
  readonly versusChampion: LossComparison | null;
  /** One sentence for people. */
  readonly reason: string;
}

/** Below this many rows a bootstrap says nothing, and a champion is never replaced on the strength of it. */
export const LEAST_ROWS = 30;

/**
 * Decides what becomes of a round's candidates, best score first: the first that is not rejected. With a champion it is
 * `promoted` when better beyond chance (the interval of the difference lies below 0), `held` when that is open, `rejected` when
 * it is worse than persistence or the champion beyond chance. Without one it is a `cold_start` unless worse than persistence.
 * @throws TABLE_INVALID when losses of different rows meet, or without candidates
 */
export function judgeCandidates(input: GateInput): GateDecision {
  return decisiveOf(judgeEach(input));
}

/** What the gate says of every candidate alone, best score first. @throws TABLE_INVALID when losses of different rows meet */
export function judgeEach(input: GateInput): readonly GateDecision[] {
  return input.candidates.toSorted((a, b) => a.score - b.score).map((candidate) => judge(candidate, input));
}

/** The decision that counts: about the first candidate that is not rejected or, when all are, about the best. @throws TABLE_INVALID when there is none */
export function decisiveOf(decisions: readonly GateDecision[]): GateDecision {
  const decision = decisions.find(({ verdict }) => verdict !== "rejected") ?? decisions[0];
  if (decision === undefined) throw new FltsError("TABLE_INVALID", "the gate needs at least one candidate");
  return decision;
}

function judge(candidate: Contender, { mode, persistence, champion, seed }: GateInput): GateDecision {
  const versusPersistence = compareLosses(candidate.losses, persistence, { seed });
  const versusChampion = champion === null ? null : compareLosses(candidate.losses, champion, { seed });
  const decide = (verdict: GateVerdict, reason: string): GateDecision => ({
    verdict,
    candidate: candidate.id,
    versusPersistence,
    versusChampion,
    reason: `${candidate.id}: ${reason}`,
  });
  const few = candidate.losses.length < LEAST_ROWS;
  const rows = few ? `, on only ${candidate.losses.length} rows` : "";

  if (mode === "off") {
    return decide(
      versusChampion === null ? "cold_start" : "promoted",
      "THE GATE IS OFF: promoted without being compared",
    );
  }
  if (versusPersistence.low > 0 && !few)
    return decide("rejected", `worse than persistence ${relativeTo(persistence, versusPersistence)}`);
  if (versusChampion === null) {
    return decide(
      "cold_start",
      `the first model of its station, ${standing(versusPersistence)} ${relativeTo(persistence, versusPersistence)}${rows}`,
    );
  }
  if (mode === "baseline") {
    return decide(
      "promoted",
      `THE GATE ASKS FOR THE BASELINE ONLY: ${standing(versusPersistence)} ${relativeTo(persistence, versusPersistence)}${rows}`,
    );
  }
  if (few)
    return decide(
      "held",
      `too few rows to replace the champion: ${candidate.losses.length}, ${LEAST_ROWS} are needed`,
    );
  if (versusChampion.low > 0)
    return decide("rejected", `worse than the champion ${relativeTo(champion, versusChampion)}`);
  if (versusChampion.high < 0)
    return decide("promoted", `better than the champion ${relativeTo(champion, versusChampion)}`);
  return decide(
    "held",
    `neither better nor worse than the champion beyond chance ${relativeTo(champion, versusChampion)}`,
  );
}

const standing = ({ high }: LossComparison) =>
  high < 0 ? "better than persistence" : "not worse than persistence beyond chance";

/** The difference in percent of the other's mean squared error. */
function relativeTo(other: Float64Array | null, { difference, low, high }: LossComparison): string {
  const mean = other === null ? 0 : meanOf(other);
  if (mean === 0) return "(whose squared error is 0)";
  const percent = (value: number) => `${((100 * value) / mean).toFixed(1)} %`;
  return `(squared error ${percent(difference)}, 90 % interval ${percent(low)} … ${percent(high)})`;
}
