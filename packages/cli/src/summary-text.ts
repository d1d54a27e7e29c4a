import type { Decision } from "@flts/common/contracts/decision";
import type { ForecastPoint } from "./forecast.ts";
import { shortId } from "./pipeline/narrate.ts";
import type { RoundFacts } from "./summary.ts";
import { count, duration, fixed, shortTime, si, signedPercent } from "./terminal/numbers.ts";
import { plotForecast } from "./terminal/plot.ts";
import type { Style } from "./terminal/style.ts";
import { renderTable } from "./terminal/table.ts";

/** Rows of the plotting area. */
const PLOT_HEIGHT = 14;
/** Forecast rows shown as numbers. */
const FIRST_ROWS = 5;

const right = (title: string) => ({ title, align: "right" as const });

export interface Surroundings {
  /** Columns of text. */
  readonly width: number;
  readonly style: Style;
  /** The last measurements before the forecast, oldest first. */
  readonly measured: { readonly values: readonly number[]; readonly firstTime: string };
}

/** The end of a demonstration for people: scoreboard, promotion, plot and first rows. */
export function summaryText(facts: RoundFacts, { width, style, measured }: Surroundings): string[] {
  const { decision } = facts.outcome;
  return [
    style.strong(`Scoreboard of ${facts.dataset}`) +
      style.faint(
        `  scaled ${facts.target}, one step ahead, ${count(decision.rows)} score rows nobody trained on`,
      ),
    ...scoreboard(decision, facts, style),
    "",
    ...verdictLines(facts, style),
    ...(facts.forecast.length === 0
      ? []
      : ["", ...forecastText(facts.target, facts.forecast, { width, style, measured })]),
    "",
    ...factLines(facts).map(style.faint),
  ];
}

function scoreboard(decision: Decision, { outcome }: RoundFacts, style: Style): string[] {
  const models = decision.scoreboard.map((row) => {
    const cells = [
      row.model_type,
      fixed(row.rmse, 5),
      fixed(row.mae, 5),
      fixed(row.r2, 4),
      signedPercent(row.skill),
      fixed(row.score, 5),
      duration(row.seconds),
      shortId(row.run_id),
    ];
    return row.run_id === outcome.promotion?.run_id ? cells.map(style.good) : cells;
  });
  const failures = decision.failed.map(({ model_type, code, reason }) =>
    style.bad(`${model_type} was not trained (${code}): ${reason}`),
  );
  const columns = [
    { title: "model" },
    ...["rmse", "mae", "r²", "skill", "score", "trained in"].map(right),
    { title: "run" },
  ];
  return [...renderTable(columns, [...models, ...baselineRows(decision, style)], style), ...failures];
}

/** What needs no training, for whoever wonders what the models' numbers are worth; nothing where nothing was scored. */
function baselineRows({ baselines }: Decision, style: Style): string[][] {
  if (baselines === null) return [];
  const { persistence, ewma } = baselines;
  return Object.entries({ persistence, EWMA: ewma }).map(([name, { rmse, mae, r2 }]) =>
    [name, fixed(rmse, 5), fixed(mae, 5), fixed(r2, 4), signedPercent(1 - rmse / persistence.rmse)].map(
      style.faint,
    ),
  );
}

function verdictLines({ outcome: { decision, promotion } }: RoundFacts, style: Style): string[] {
  const what =
    promotion === null
      ? style.strong("Nothing promoted")
      : `${style.good("✓")} ${style.strong(`Promoted: ${promotion.model_type}`)}, epoch ${promotion.epoch}, run ${promotion.run_id}`;
  return [`${what} (${decision.verdict})`, style.faint(`  ${decision.reason}`)];
}

/** A forecast as plot and first rows. */
export function forecastText(
  target: string,
  forecast: readonly ForecastPoint[],
  { width, style, measured }: Surroundings,
): string[] {
  const [first, last] = [forecast[0], forecast.at(-1)];
  if (first === undefined || last === undefined) return [];
  const bounded = forecast.every(({ lower, upper }) => lower !== null && upper !== null);
  const plot = plotForecast(
    {
      name: target,
      actual: measured.values,
      forecast: forecast.map(({ value }) => value),
      lower: bounded ? forecast.map(({ lower }) => lower ?? Number.NaN) : [],
      upper: bounded ? forecast.map(({ upper }) => upper ?? Number.NaN) : [],
      times: { first: measured.firstTime, turn: first.ts, last: last.ts },
    },
    { width, height: PLOT_HEIGHT },
    style,
  );
  const rows = forecast
    .slice(0, FIRST_ROWS)
    .map(({ ts, value, lower, upper }) => [
      shortTime(ts),
      si(value),
      si(lower ?? Number.NaN),
      si(upper ?? Number.NaN),
    ]);
  const more = forecast.length > FIRST_ROWS ? [style.faint(`… ${forecast.length - FIRST_ROWS} more`)] : [];
  const table = renderTable([{ title: "time" }, ...[target, "at least", "at most"].map(right)], rows, style);
  return [...plot, "", ...table, ...more];
}

function factLines({ seconds, rows, columnNames, configHash, round }: RoundFacts): string[] {
  const table = `${count(rows.train)} + ${count(rows.test)} rows, ${columnNames.length} columns`;
  const steps = `preprocess ${duration(seconds.preprocess)}, training ${duration(seconds.train)}, evaluation ${duration(seconds.eval)}`;
  return [
    `${table} · settings ${shortId(configHash)} · round ${shortId(round)}`,
    `${steps} · ${duration(seconds.total)} in all, starting and serving included`,
  ];
}
