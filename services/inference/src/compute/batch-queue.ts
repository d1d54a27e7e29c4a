/**
 * The windows that wait for one model, of any number of requests.
 *
 * - B1 A batch is made of parts, each a run of windows of one request; an answer goes to the part whose windows it was computed from, by position.
 * - B2 First come, first served. What does not fit goes to the end of the line with the rest of its windows, so that a thousand windows of one request do not
 *   keep others waiting.
 * - B3 What nobody waits for any more is not computed.
 * - B4 When a batch fails, each of its parts is computed once more, alone: one request's fault does not reach another.
 * - B5 A batch is rolled on as far as the part needs that is done first, within bounds; the others go to the end of the line from where they are then.
 */
export interface BatchQueue {
  /** Adds a request's windows `[n, window, columns]`, to be rolled on by `blocks` answers; resolves with `[n, blocks * horizon, targets]`. */
  add(windows: Float64Array, endTimesMs: Float64Array, blocks: number, caller: Caller): Promise<Float64Array>;
  /** The next batch of at most `maxWindows` windows, and of `maxAnswers` answers where it is rolled on; null when nobody waits. */
  take(maxWindows: number, maxAnswers: number): Batch | null;
  /** Windows that wait. */
  size(): number;
  /** Answers that are yet to be computed for them. */
  owed(): number;
  /** Whether some of them were in a batch that failed. */
  hasFailed(): boolean;
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
  /** Answers for each window, one after another. */
  readonly blocks: number;
  /** Whether some of the windows need more of them: it is to be said then where they are. */
  readonly goesOn: boolean;
  resolve(rolled: Rolled): void;
  reject(error: unknown): void;
}

/** What became of a batch's windows. */
export interface Rolled {
  /** `[n, blocks * horizon, targets]` */
  readonly forecast: Float64Array;
  /** Moved on by the forecast, as they came; null where nobody needs them. */
  readonly windows: Float64Array | null;
  readonly endTimesMs: Float64Array | null;
}

export interface WindowShape {
  /** Numbers of one window. */
  readonly cells: number;
  /** Numbers of one answer. */
  readonly answers: number;
}

interface Request {
  /** Moved on while more than one answer is needed. */
  readonly windows: Float64Array;
  readonly endTimesMs: Float64Array;
  readonly blocks: number;
  readonly caller: Caller;
  readonly results: Float64Array;
  readonly settle: PromiseWithResolvers<Float64Array>;
  /** Windows that have all their answers. */
  answered: number;
  /** Settled early: nothing more of it is computed. */
  over: boolean;
}

/** Windows `from` to `to` (excluded) of one request: what waits in line, and a part of a batch (B1). */
interface Run {
  readonly request: Request;
  readonly from: number;
  readonly to: number;
  /** Answers that they have. */
  readonly done: number;
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

  function handOut(runs: readonly Run[], blocks: number, rolled: Rolled): void {
    let position = 0;
    for (const run of runs) {
      const count = run.to - run.from;
      copyAnswers(run, blocks, rolled.forecast.subarray(position * blocks * answers));
      if (run.done + blocks < run.request.blocks) goOn(run, blocks, rolled, position);
      else run.request.answered += count;
      position += count;
      const { request } = run;
      request.caller.computed(count * blocks);
      if (request.answered === request.endTimesMs.length) request.settle.resolve(request.results);
    }
  }

  function copyAnswers({ request, from, to, done }: Run, blocks: number, forecast: Float64Array): void {
    const size = blocks * answers;
    for (let index = from; index < to; index++)
      request.results.set(
        forecast.subarray((index - from) * size, (index - from + 1) * size),
        (index * request.blocks + done) * answers,
      );
  }

  /** Back into the line with the rest of what is to be computed (B5). */
  function goOn(run: Run, blocks: number, { windows, endTimesMs }: Rolled, position: number): void {
    const { request, from, to } = run;
    if (windows === null || endTimesMs === null)
      return giveUp(request, new Error("the windows did not come back"));
    request.windows.set(windows.subarray(position * cells, (position + to - from) * cells), from * cells);
    request.endTimesMs.set(endTimesMs.subarray(position, position + to - from), from);
    line.push({ ...run, done: run.done + blocks, sinceMs: nowMs(), alone: false });
    waiting += to - from;
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
    add(windows, endTimesMs, blocks, caller) {
      const count = endTimesMs.length;
      const results = new Float64Array(count * blocks * answers);
      if (results.length === 0) return Promise.resolve(results);
      const settle = Promise.withResolvers<Float64Array>();
      const own =
        blocks > 1 ? { windows: windows.slice(), endTimesMs: endTimesMs.slice() } : { windows, endTimesMs };
      const request = { ...own, blocks, caller, results, settle, answered: 0, over: false };
      line.push({ request, from: 0, to: count, done: 0, sinceMs: nowMs(), alone: false });
      waiting += count;
      return settle.promise;
    },
    take(maxWindows, maxAnswers) {
      const runs = takeRuns(maxWindows);
      if (runs.length === 0) return null;
      const gathered = gather(runs, cells);
      const needed = runs.map(({ request, done }) => request.blocks - done);
      const most = Math.max(1, Math.floor(maxAnswers / gathered.endTimesMs.length));
      const blocks = Math.min(most, ...needed);
      return {
        ...gathered,
        blocks,
        goesOn: needed.some((need) => need > blocks),
        resolve: (rolled) => handOut(runs, blocks, rolled),
        reject: (error) => fail(runs, error),
      };
    },
    size: () => waiting,
    owed: () =>
      line.reduce((sum, { request, from, to, done }) => sum + (to - from) * (request.blocks - done), 0),
    hasFailed: () => line.some(({ alone }) => alone),
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
