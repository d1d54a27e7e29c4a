import { normalFrom, seededUniform } from "../random.ts";
import { createTable, type Table } from "../table/table.ts";
import { simulateSessions } from "./sessions.ts";

export interface StationOptions {
  /** Any whole number; the same seed gives the same station. */
  readonly seed: number;
  readonly rows: number;
  /** The first time stamp. */
  readonly startMs: number;
  readonly stepMs?: number;
}

/** The columns of a station file beside `time`, in their order (reference behaviour §15.1). */
export const stationColumns = [
  "down",
  "up",
  "rnti_count",
  "mcs_down",
  "mcs_down_var",
  "mcs_up",
  "mcs_up_var",
  "rb_down",
  "rb_down_var",
  "rb_up",
  "rb_up_var",
] as const;

const STEP_MS = 120_000;
const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday: three days after a Monday. */
const EPOCH_DAY_OF_WEEK = 3;
/** The share of empty uplink windows in the quietest hour: about one in 1,000 over a day, as in Poble Sec. */
const SILENCE = 0.002;

/**
 * Measurements of a station that does not exist, made to look like those of one in Barcelona (reference behaviour §15.2): a
 * daily and a weekly rhythm of log traffic, slow drifts, noise, and heavy sessions that raise traffic and lower the
 * modulation scheme for minutes to an hour. Uplink MCS is missing exactly where `up` is 0.
 */
export function synthesizeStation(options: StationOptions): Table {
  const { seed, rows, startMs, stepMs = STEP_MS } = options;
  const uniform = seededUniform(seed);
  const normal = normalFrom(uniform);
  const busy = Float64Array.from({ length: rows }, (_, row) => busyness(startMs + row * stepMs));
  const load = simulateSessions(uniform, busy);
  const demand = drift(normal, rows, 0.96, 0.34);
  const devices = drift(normal, rows, 0.97, 0.22);
  const uplink = drift(normal, rows, 0.93, 0.75);

  const values = stationColumns.map(() => new Float64Array(rows));
  const [down, up, rnti, mcsDown, mcsDownVar, mcsUp, mcsUpVar, rbDown, rbDownVar, rbUp, rbUpVar] = values;
  for (let row = 0; row < rows; row++) {
    const rhythm = busy[row]!;
    const heavy = load[row]!;
    const spike = uniform() < 0.006 ? -0.7 * Math.log(1 - uniform()) : 0;
    const logDown = 18.2 + 0.8 * rhythm + demand[row]! + 1.1 * heavy + 0.2 * normal() + spike;
    down![row] = Math.round(Math.exp(Math.min(logDown, 21.6)));
    const silent = uniform() < SILENCE * Math.max(0, -rhythm) ** 2;
    const logUp = 13.1 + 1.2 * rhythm + uplink[row]! + 4.2 * heavy + 0.45 * normal() + 1.5 * spike;
    up![row] = silent ? 0 : Math.round(Math.exp(Math.min(logUp, 20.6)));
    const crowd = 8.5 + 0.45 * rhythm + 0.4 * demand[row]! + devices[row]! + 0.13 * normal();
    rnti![row] = Math.round(Math.exp(crowd));
    const noise = normal();
    mcsDown![row] = between(15.3 + 0.2 * noise - 12.4 * heavy, 0.7, 16.6);
    mcsDownVar![row] = between(87.2 + 1.1 * noise - 47 * heavy + 2 * heavy * normal(), 14, 100);
    mcsUp![row] = silent ? Number.NaN : between(15.2 - 6.5 * heavy + (1.9 - 0.5 * rhythm) * normal(), 0, 31);
    mcsUpVar![row] = silent ? Number.NaN : Math.max(0, 42 + 8 * (logUp - 13.9) + 9 * normal());
    rbDown![row] = between(down![row]! * Math.exp(-22.5 + 1.15 * heavy + 0.02 * normal()), 0, 0.75);
    rbDownVar![row] = 4.5e-8 * Math.exp(1.25 * heavy ** 2 + 0.035 * normal());
    rbUp![row] = between(up![row]! * Math.exp(-21.75 + 0.45 * heavy + 0.2 * normal()), 0, 0.45);
    rbUpVar![row] = silent ? 0 : Math.max(0, 2.6e-12 * rnti![row]! - 2e-9 + 3e-9 * heavy * normal());
  }
  const timesMs = Float64Array.from({ length: rows }, (_, row) => startMs + row * stepMs);
  return createTable(timesMs, stationColumns, values);
}

/** How busy a time of day and week is: −1 at five in the morning, about +1 in the evening, a little less on Sundays. */
function busyness(timeMs: number): number {
  const hour = ((timeMs % DAY_MS) / DAY_MS) * 24;
  const day = (Math.floor(timeMs / DAY_MS) + EPOCH_DAY_OF_WEEK) % 7;
  const main = Math.cos(((hour - 18.5) / 24) * 2 * Math.PI);
  const second = 0.35 * Math.cos(((hour - 13) / 12) * 2 * Math.PI);
  return main + second - (day === 6 ? 0.15 : 0);
}

/** A first-order autoregression with the given standard deviation, started in its stationary state. */
function drift(normal: () => number, rows: number, memory: number, deviation: number): Float64Array {
  const path = new Float64Array(rows);
  const shock = deviation * Math.sqrt(1 - memory * memory);
  let level = deviation * normal();
  for (let row = 0; row < rows; row++) {
    level = memory * level + shock * normal();
    path[row] = level;
  }
  return path;
}

const between = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
