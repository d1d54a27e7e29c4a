/**
 * The windows that wait for one model, of any number of requests.
 *
 * - B1 A batch is made of parts, each a run of windows of one request; an answer goes to the part whose windows it was computed from, by position.
 * - B2 First come, first served. What does not fit goes to the end of the line with the rest of its windows, so that a thousand windows of one request do not
 *   keep others waiting.
 * - B3 What nobody waits for any more is not computed.
 * - B4 When a batch fails, each of its parts is computed once more, alone: one request's fault does not reach another.
 */
export interface BatchQueue {
  /** Adds a request's windows `[n, window, columns]`; resolves with `[n, horizon, targets]`. */
  add(windows: Float64Array, endTimesMs: Float64Array, caller: Caller): Promise<Float64Array>;
  /** The next batch of at most `maxWindows` windows; null when nobody waits. */
  take(maxWindows: number): Batch | null;
  /** Windows that wait. */
  size(): number;
  /** When the first in line began to wait; null when nobody does. */
  waitingSinceMs(): number | null;
}

/** For whom is computed. */
export interface Caller {
  /** @throws what to answer when nobody waits any more, or not for so long */
  check(): void;
  /** Told of windows that were computed. */
  computed(windows: number): void;
}

export interface Batch {
  readonly windows: Float64Array<ArrayBuffer>;
  readonly endTimesMs: Float64Array<ArrayBuffer>;
  /** Hands out `[n, horizon, targets]`. */
  resolve(forecast: Float64Array): void;
  reject(error: unknown): void;
}

export interface WindowShape {
  /** Numbers of one window. */
  readonly cells: number;
  /** Numbers of one answer. */
  readonly answers: number;
}

interface Request {
  readonly windows: Float64Array;
  readonly endTimesMs: Float64Array;
  readonly caller: Caller;
  readonly results: Float64Array;
  readonly settle: PromiseWithResolvers<Float64Array>;
  /** Windows that have their answer. */
  answered: number;
  /** Settled early: nothing more of it is computed. */
  over: boolean;
}

/** Windows `from` to `to` (excluded) of one request: what waits in line, and a part of a batch (B1). */
interface Run {
  readonly request: Request;
  readonly from: number;
  readonly to: number;
  readonly sinceMs: number;
  /** It was in a batch that failed (B4). */
  readonly alone: boolean;
}

export function createBatchQueue({ cells, answers }: WindowShape, nowMs: () => number): BatchQueue {
  const line: Run[] = [];
  let waiting = 0;

  function takeRuns(maxWindows: number): Run[] {
    const taken: Run[] = [];
    const rest: Run[] = [];
    let room = maxWindows;
    while (room > 0) {
      const first = line[0];
      if (first === undefined || (first.alone && taken.length > 0)) break;
      line.shift();
      waiting -= first.to - first.from;
      if (!isWanted(first.request)) continue;
      const end = Math.min(first.to, first.from + room);
      taken.push(end === first.to ? first : { ...first, to: end });
      if (end < first.to) rest.push({ ...first, from: end, sinceMs: nowMs() });
      room -= end - first.from;
      if (first.alone) break;
    }
    for (const run of rest) {
      line.push(run); // B2
      waiting += run.to - run.from;
    }
    return taken;
  }

  function handOut(runs: readonly Run[], forecast: Float64Array): void {
    let position = 0;
    for (const { request, from, to } of runs) {
      const count = to - from;
      request.results.set(
        forecast.subarray(position * answers, (position + count) * answers),
        from * answers,
      );
      position += count;
      request.answered += count;
      request.caller.computed(count);
      if (request.answered === request.endTimesMs.length) request.settle.resolve(request.results);
    }
  }

  function fail(runs: readonly Run[], error: unknown): void {
    for (const run of runs.toReversed()) {
      if (run.alone) giveUp(run.request, error);
      else {
        waiting += run.to - run.from;
        line.unshift({ ...run, alone: true }); // B4
      }
    }
  }

  return {
    add(windows, endTimesMs, caller) {
      const count = endTimesMs.length;
      const results = new Float64Array(count * answers);
      if (count === 0) return Promise.resolve(results);
      const settle = Promise.withResolvers<Float64Array>();
      const request = { windows, endTimesMs, caller, results, settle, answered: 0, over: false };
      line.push({ request, from: 0, to: count, sinceMs: nowMs(), alone: false });
      waiting += count;
      return settle.promise;
    },
    take(maxWindows) {
      const runs = takeRuns(maxWindows);
      if (runs.length === 0) return null;
      return {
        ...gather(runs, cells),
        resolve: (forecast) => handOut(runs, forecast),
        reject: (error) => fail(runs, error),
      };
    },
    size: () => waiting,
    waitingSinceMs: () => line[0]?.sinceMs ?? null,
  };
}

function isWanted(request: Request): boolean {
  if (request.over) return false;
  try {
    request.caller.check();
    return true;
  } catch (error) {
    giveUp(request, error); // B3
    return false;
  }
}

function giveUp(request: Request, error: unknown): void {
  request.over = true;
  request.settle.reject(error);
}

function gather(runs: readonly Run[], cells: number): Pick<Batch, "windows" | "endTimesMs"> {
  const count = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  const windows = new Float64Array(count * cells);
  const endTimesMs = new Float64Array(count);
  let position = 0;
  for (const { request, from, to } of runs) {
    windows.set(request.windows.subarray(from * cells, to * cells), position * cells);
    endTimesMs.set(request.endTimesMs.subarray(from, to), position);
    position += to - from;
  }
  return { windows, endTimesMs };
}
