import type { Clock } from "@flts/common/ports/clock";
import type { Artifact } from "@flts/families/artifact";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { type Batch, type BatchQueue, type Caller, createBatchQueue } from "./batch-queue.ts";
import { startThread, type Thread, thisThread } from "./thread.ts";

/**
 * Computes forecasts on threads of their own, those of many requests at once.
 *
 * - C1 A thread has one batch under way; meanwhile requests gather to the next one. An idle service answers at once, a busy one in large batches, and nobody
 *   waits for a batch to fill.
 * - C2 Of several models the one whose first request has waited longest goes next.
 * - C3 A thread that dies is replaced, with every model that is open; what it had under way is computed once more.
 * - C4 What is computed within a millisecond is computed here while all threads are idle: handing it over and back takes as long, and wakes a thread that competes
 *   for the core with this one. What failed before is not tried here.
 */
export interface Compute {
  /** Loads a model into every thread. @throws ARTIFACT_INVALID, MODEL_UNKNOWN */
  open(artifact: Artifact): Promise<SharedForecaster>;
  /** Starts or ends threads until there are so many; work goes on meanwhile. */
  resize(threads: number): Promise<void>;
  stats(): ComputeStats;
  close(): Promise<void>;
}

/** A forecaster that many requests use at once. */
export interface SharedForecaster extends Forecaster {
  predict(windows: Float64Array, endTimesMs: Float64Array, caller?: Caller): Promise<Float64Array>;
  /** As `rollForward` does, by whole answers: `[n, blocks * horizon, targets]`. */
  roll(
    windows: Float64Array,
    endTimesMs: Float64Array,
    blocks: number,
    caller?: Caller,
  ): Promise<Float64Array>;
}

export interface ComputeStats {
  readonly threads: number;
  readonly busy: number;
  /** Windows that wait. */
  readonly waiting: number;
  readonly oldestWaitMs: number;
  /**
   * What a window costs a thread, in batches as they were lately; 0 before the first. Measured there: a main thread that is late would make work look dear, and refuse
   * what it could do.
   */
  readonly msPerWindow: number;
}

export interface ComputeOptions {
  readonly threads: number;
  /** Windows in one call of a model. */
  readonly maxBatch: number;
  readonly clock: Clock;
  /** Told how many windows each batch had. */
  readonly onBatch: (windows: number) => void;
  /** Told when a thread died. */
  readonly onCrash: (error: Error) => void;
  /** How a thread is started; told to call when it dies. */
  readonly start?: (onCrash: (error: Error) => void) => Thread;
  /** Computes small batches (C4); null where nothing shall be computed here. */
  readonly here?: Thread | null;
}

interface OpenModel {
  readonly id: number;
  readonly artifact: Artifact;
  readonly queue: BatchQueue;
  /** What a window costs a thread, lately; 0 before the first. */
  msPerWindow: number;
}

interface Lane {
  readonly thread: Thread;
  /** Has a batch under way, or is still loading models. */
  busy: boolean;
}

/** Share of its past that the mean cost of a window keeps with every batch. */
const MEMORY = 0.95;
/** Long forecasts hold a thread for about so long at a time: others wait no longer for their turn. */
const ROLL_MS = 4;
/** So long at most this thread computes at a time, while others want it to listen (C4). */
const HERE_MS = 1;
/** Before a thread that died is replaced. */
const RESTART_MS = 500;

export async function startCompute({
  threads,
  maxBatch,
  clock,
  onBatch,
  onCrash,
  start = startThread,
  here = thisThread(),
}: ComputeOptions): Promise<Compute> {
  const models = new Map<number, OpenModel>();
  const lanes: Lane[] = [];
  const own: Lane | null = here === null ? null : { thread: here, busy: false };
  const closing = new AbortController();
  let wanted = threads;
  let lastId = 0;
  let scheduled = false;
  let lately = { ms: 0, windows: 0 };

  /** At the end of this turn of the event loop, so that all that came in one turn go together. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (own?.busy === false && isIdle() && isSmall(longestWaiting(models.values())))
        feed(own, HERE_MS); // C4
      else for (const lane of lanes) if (!lane.busy) feed(lane, ROLL_MS);
    });
  }

  const isIdle = (): boolean => lanes.length === wanted && lanes.every(({ busy }) => !busy);

  const isSmall = (model: OpenModel | undefined): boolean =>
    model !== undefined &&
    model.msPerWindow > 0 &&
    model.queue.size() * model.msPerWindow <= HERE_MS &&
    model.queue.owed() * model.msPerWindow <= HERE_MS &&
    !model.queue.hasFailed();

  /** Gives an idle lane its next batch, of about so much time where it is rolled on. */
  function feed(lane: Lane, rollMs: number): void {
    const model = longestWaiting(models.values()); // C2
    const cost = model?.msPerWindow ?? 0;
    const batch = model?.queue.take(maxBatch, cost === 0 ? 1 : rollMs / cost);
    if (model === undefined || batch === undefined) return;
    if (batch === null) return schedule(); // Nobody waits any more for what that model had: another may have work.
    lane.busy = true; // C1
    void computeIn(lane, model, batch).finally(() => {
      lane.busy = false;
      schedule();
    });
  }

  const msPerWindow = (): number => (lately.windows === 0 ? 0 : lately.ms / lately.windows);

  async function computeIn({ thread }: Lane, model: OpenModel, batch: Batch): Promise<void> {
    const { id } = model;
    const { windows, endTimesMs, blocks, goesOn } = batch;
    const count = endTimesMs.length;
    onBatch(count);
    try {
      const request = { kind: "predict", model: id, windows, endTimesMs, blocks, goesOn } as const;
      const { rolled, durationMs } = await thread.ask(request);
      if (thread !== here) learn(model, durationMs, count * blocks);
      batch.resolve(rolled ?? NOTHING);
    } catch (error) {
      batch.reject(error); // C3
    }
  }

  function learn(model: OpenModel, ms: number, windows: number): void {
    lately = { ms: lately.ms * MEMORY + ms, windows: lately.windows * MEMORY + windows };
    const known = model.msPerWindow === 0 ? ms / windows : model.msPerWindow;
    model.msPerWindow = known * MEMORY + (ms / windows) * (1 - MEMORY);
  }

  /** @throws FORECASTER_CRASHED when the thread dies before it has all models */
  async function startLane(): Promise<void> {
    const thread = start((error) => {
      lanes.splice(lanes.indexOf(lane), 1);
      onCrash(error);
      void replace();
    });
    const lane: Lane = { thread, busy: true };
    lanes.push(lane);
    await Promise.all([...models.values()].map((model) => openIn(thread, model)));
    lane.busy = false;
    schedule();
  }

  async function replace(): Promise<void> {
    await clock.sleep(RESTART_MS, closing.signal);
    if (closing.signal.aborted || lanes.length >= wanted) return;
    await startLane().catch(() => null); // It died again: its own crash calls for the next one.
  }

  const openIn = (thread: Thread, { id, artifact }: OpenModel): Promise<unknown> =>
    thread.ask({ kind: "open", model: id, ...artifact });

  async function closeModel({ id }: OpenModel): Promise<void> {
    if (!models.delete(id)) return;
    // A thread that has ended holds nothing.
    const holders = own === null ? lanes : [...lanes, own];
    await Promise.all(
      holders.map(({ thread }) => thread.ask({ kind: "close", model: id }).catch(() => null)),
    );
  }

  async function resize(count: number): Promise<void> {
    wanted = count;
    while (lanes.length < wanted) await startLane();
    await Promise.all(lanes.splice(wanted).map(({ thread }) => thread.close()));
  }

  await resize(threads);
  return {
    async open(artifact) {
      const { columns, targets, window, horizon, step_ms: stepMs } = artifact.manifest;
      const shape = { cells: window * columns.length, answers: horizon * targets.length };
      const queue = createBatchQueue(shape, () => clock.monotonicMs());
      const model: OpenModel = { id: ++lastId, artifact, queue, msPerWindow: 0 };
      models.set(model.id, model);
      try {
        await Promise.all(lanes.map(({ thread }) => openIn(thread, model)));
        if (here !== null) await openIn(here, model);
      } catch (error) {
        await closeModel(model);
        throw error;
      }
      const roll: SharedForecaster["roll"] = (windows, endTimesMs, blocks, caller = ANYBODY) => {
        if (!models.has(model.id)) return Promise.reject(new Error("the model was closed"));
        schedule();
        return queue.add(windows, endTimesMs, blocks, caller);
      };
      return {
        columns,
        targets,
        window,
        horizon,
        stepMs,
        predict: (windows, endTimesMs, caller) => roll(windows, endTimesMs, 1, caller),
        roll,
        close: () => closeModel(model),
      };
    },
    resize,
    stats() {
      const queues = [...models.values()].map(({ queue }) => queue);
      const since = Math.min(...queues.map((queue) => queue.waitingSinceMs() ?? Number.POSITIVE_INFINITY));
      return {
        threads: lanes.length,
        busy: lanes.filter(({ busy }) => busy).length,
        waiting: queues.reduce((sum, queue) => sum + queue.size(), 0),
        oldestWaitMs: Number.isFinite(since) ? clock.monotonicMs() - since : 0,
        msPerWindow: msPerWindow(),
      };
    },
    async close() {
      closing.abort();
      wanted = 0;
      await Promise.all(lanes.splice(0).map(({ thread }) => thread.close()));
      await here?.close();
    },
  };
}

const NOTHING = { forecast: new Float64Array(), windows: null, endTimesMs: null };

/** Somebody who waits for as long as it takes. */
const ANYBODY: Caller = { check: () => {}, computed: () => {} };

function longestWaiting(models: Iterable<OpenModel>): OpenModel | undefined {
  let longest: OpenModel | undefined;
  let since = Number.POSITIVE_INFINITY;
  for (const model of models) {
    const own = model.queue.waitingSinceMs();
    if (own === null || own >= since) continue;
    longest = model;
    since = own;
  }
  return longest;
}
