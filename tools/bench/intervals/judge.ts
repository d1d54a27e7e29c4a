import { forecastsBefore, type RollingForecasts, seriesOf } from "@flts/forecasting/evaluation/forecasts";
import { bandsOfAll, calibrateIntervals } from "@flts/forecasting/evaluation/intervals";
import { coverage, intervalScore, measure } from "@flts/forecasting/evaluation/metrics";
import { columnOf } from "@flts/forecasting/table/table";
import type { Candidate } from "./candidates.ts";
import type { Fold, RolledModel } from "./folds.ts";

/** How a candidate did for one fold, family and target. */
export interface Judgement {
  readonly family: string;
  /** Share of the values inside, and mean interval score over the mean load, one step ahead. */
  readonly coverage: number;
  readonly score: number;
  /** The same at the last step. */
  readonly lastCoverage: number;
  readonly lastScore: number;
  /** Share of the forecasts in the middle half of their band; null where the family is no better than the last value. */
  readonly middle: number | null;
}

/** A candidate over all folds, families and targets. */
export interface Verdict {
  readonly misses: number;
  readonly score: number;
  readonly coverage: number;
  readonly lastCoverage: number;
  readonly lastScore: number;
  readonly middle: number;
  readonly families: Readonly<Record<string, string>>;
}

/** Bands of the candidate around a model's judged forecasts. */
export function judge(fold: Fold, model: RolledModel, candidate: Candidate): readonly Judgement[] {
  const { targets, horizon } = model.judged;
  const known = targets.map((target) => columnOf(fold.train, target));
  const judged = targets.map((target) => columnOf(fold.judging, target));
  const seen =
    candidate.rows === "calibrate"
      ? forecastsBefore(model.calibrating, model.rows.calibrate[1])
      : model.calibrating;
  const stride = Math.max(1, Math.floor(seen.origins.length / candidate.originsAhead));
  const intervals = calibrateIntervals({ next: firstStep(seen), ahead: everyNth(seen, stride) }, known, {
    chooseCentre: candidate.chooseCentre,
  });
  const bands = bandsOfAll(intervals, model.judged, judged);
  return targets.map((_, target) => {
    const at = (step: number) => {
      const { actual, forecast } = seriesOf(model.judged, target, step);
      const lower = seriesOf({ ...model.judged, forecast: bands.lower }, target, step).forecast;
      const upper = seriesOf({ ...model.judged, forecast: bands.upper }, target, step).forecast;
      const load = actual.reduce((sum, value) => sum + value, 0) / actual.length;
      return {
        actual,
        forecast,
        lower,
        upper,
        coverage: coverage(actual, lower, upper),
        score: intervalScore(actual, lower, upper, intervals.level) / load,
      };
    };
    const [first, last] = [at(1), at(horizon)];
    const repeated = Float64Array.from(model.judged.origins, (origin) => judged[target]![origin]!);
    const skilled = measure(first.actual, first.forecast).rmse < measure(first.actual, repeated).rmse;
    return {
      family: model.name,
      coverage: first.coverage,
      score: first.score,
      lastCoverage: last.coverage,
      lastScore: last.score,
      middle: skilled ? middleShare(first) : null,
    };
  });
}

/** All judgements of a candidate as one. */
export function summarize(judgements: readonly Judgement[]): Verdict {
  const families = [...new Set(judgements.map(({ family }) => family))];
  return {
    misses: judgements.filter(isMiss).length,
    score: geometricMean(judgements.map(({ score }) => score)),
    coverage: mean(judgements.map(({ coverage: share }) => share)),
    lastCoverage: mean(judgements.map(({ lastCoverage }) => lastCoverage)),
    lastScore: geometricMean(judgements.map(({ lastScore }) => lastScore)),
    middle: mean(judgements.flatMap(({ middle }) => middle ?? [])),
    families: Object.fromEntries(
      families.map((family) => {
        const own = judgements.filter((judgement) => judgement.family === family);
        const shares = own.map(({ coverage: share }) => share);
        const range = `${Math.min(...shares).toFixed(2)} … ${Math.max(...shares).toFixed(2)}`;
        const score = geometricMean(own.map((one) => one.score)).toFixed(3);
        return [family, `${score}, ${own.filter(isMiss).length} of ${own.length} missed, ${range}`];
      }),
    ),
  };
}

/** The rule of ADR 10, which was written down before any candidate had been looked at. */
export function winnerOf<Named extends { readonly verdict: Verdict; readonly of: number }>(
  judged: readonly Named[],
): Named | undefined {
  const eligible = judged.filter(
    ({ verdict }) => verdict.lastCoverage >= LEAST_LAST_COVERAGE && verdict.middle > LEAST_MIDDLE,
  );
  const fewest = Math.min(...eligible.map(({ verdict }) => verdict.misses));
  return eligible
    .filter(({ verdict, of }) => verdict.misses <= fewest + ALIKE_SHARE * of)
    .toSorted((a, b) => a.verdict.score - b.verdict.score)[0];
}

const LEAST_LAST_COVERAGE = 0.87;
const LEAST_MIDDLE = 0.5;
const ALIKE_SHARE = 1 / 50;
const isMiss = ({ coverage: share }: Judgement) => share < 0.86 || share > 0.94;

function middleShare({
  forecast,
  lower,
  upper,
}: Readonly<Record<"forecast" | "lower" | "upper", Float64Array>>): number {
  const inMiddle = forecast.filter((value, row) => {
    const quarter = (upper[row]! - lower[row]!) / 4;
    return value >= lower[row]! + quarter && value <= upper[row]! - quarter;
  });
  return inMiddle.length / forecast.length;
}

function firstStep(forecasts: RollingForecasts): RollingForecasts {
  const { targets, horizon } = forecasts;
  const size = horizon * targets.length;
  const first = (values: Float64Array) => values.filter((_, index) => index % size < targets.length);
  return { ...forecasts, horizon: 1, actual: first(forecasts.actual), forecast: first(forecasts.forecast) };
}

function everyNth(forecasts: RollingForecasts, stride: number): RollingForecasts {
  const size = forecasts.horizon * forecasts.targets.length;
  const kept = (values: Float64Array) => values.filter((_, index) => Math.floor(index / size) % stride === 0);
  return {
    ...forecasts,
    origins: forecasts.origins.filter((_, index) => index % stride === 0),
    actual: kept(forecasts.actual),
    forecast: kept(forecasts.forecast),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const geometricMean = (values: readonly number[]) => Math.exp(mean(values.map(Math.log)));
