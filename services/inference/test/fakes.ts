import { writeDocument } from "@flts/common/claim-check/documents";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createLogger, type Logger } from "@flts/common/service/logger";
import type { ServableModel } from "../src/model/servable-model.ts";
import { type Admission, type AdmissionOptions, createAdmission } from "../src/predict/admission.ts";

/** Builders and fakes of this service's tests. */

export function promotionOf(epoch: number, fields: Partial<Promotion> = {}): Promotion {
  return {
    identifier: "",
    config_hash: `config-${epoch}`,
    run_id: `run-${epoch}`,
    model_type: "LINEAR",
    experiment: "Default",
    model_uri: `runs:/run-${epoch}/LINEAR`,
    rmse: 0.03,
    mae: 0.02,
    mse: 0.001,
    score: 0.02,
    timestamp: "2026-01-01T00:00:00.000Z",
    weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
    v: 1,
    epoch,
    promotion_id: `promotion-${epoch}`,
    source: "gate",
    verdict: "promoted",
    round: "round",
    work_key: `work-${epoch}`,
    manifest_sha256: "0".repeat(64),
    previous_epoch: epoch > 1 ? epoch - 1 : null,
    ...fields,
  };
}

export interface FakeModel extends ServableModel {
  readonly closed: boolean;
}

/** A model that answers `value` for every step; using it after it was closed is an error, as with a real one. */
export function constantModel(value: number, fields: Partial<ServableModel> = {}): FakeModel {
  let closed = false;
  const constant = (count: number) => ({
    values: new Float64Array(count).fill(value),
    lower: new Float64Array(count).fill(value - 1),
    upper: new Float64Array(count).fill(value + 1),
  });
  return {
    inputColumns: ["down", "up"],
    columns: ["down", "up"],
    stepMs: 120_000,
    targets: ["down"],
    window: 2,
    horizon: 1,
    sizeBytes: 1,
    trainedOn: { fromMs: Date.UTC(2018, 0, 1), toMs: Date.UTC(2018, 1, 1) },
    async forecast(history, steps) {
      if (closed) throw new Error("the model is closed");
      const end = history.timesMs.at(-1) ?? 0;
      return {
        timesMs: Float64Array.from({ length: steps }, (_, step) => end + (step + 1) * 120_000),
        ...constant(steps),
      };
    },
    forecastEach(histories, steps) {
      return Promise.all(histories.map((history) => this.forecast(history, steps)));
    },
    forecastWindows: async (_windows, endTimesMs) => constant(endTimesMs.length),
    async backtest(history, steps) {
      const count = Math.min(steps, history.timesMs.length - 2);
      return {
        timesMs: history.timesMs.slice(2, 2 + count),
        ...constant(count),
      };
    },
    close: async () => {
      closed = true;
    },
    ...fields,
    get closed() {
      return closed;
    },
  };
}

/** An admission that lets everything in, unless told otherwise. */
export const openAdmission = (clock: Clock, options: Partial<AdmissionOptions> = {}): Admission =>
  createAdmission({
    clock,
    compute: () => ({ msPerWindow: 0, threads: 1 }),
    maxPending: 1_000,
    maxWaitMs: 1_000,
    timeoutMs: 30_000,
    onWait: () => {},
    ...options,
  });

export const quietLog = (): Logger => createLogger({ service: "inference", level: "silent", pretty: false });

/** A log whose lines can be read. */
export function recordingLog(): { log: Logger; events: () => readonly string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return {
    log: createLogger({ service: "inference", level: "info", pretty: false, destination }),
    events: () => lines.map((line) => String((JSON.parse(line) as { event: unknown }).event)),
  };
}

/** Leaves what a promotion leaves: its entry in the history, and the head. */
export async function writeHead(store: ObjectStore, promotion: Promotion): Promise<void> {
  const { identifier, epoch } = promotion;
  await store.ensureBucket("model-promotion");
  for (const key of [keys.history(identifier, epoch), keys.head(identifier)])
    await writeDocument(store, { bucket: "model-promotion", key }, promotion);
}

/** Rows of a request: two-minute steps from 2018-02-05 23:40. */
export function rowsOf(count: number): Record<string, unknown[]> {
  const times = Array.from(
    { length: count },
    (_, row) => new Date(Date.UTC(2018, 1, 5, 23, 40) + row * 120_000),
  );
  return {
    ts: times.map((time) => time.toISOString().slice(0, 19).replace("T", " ")),
    down: times.map((_, row) => 1e8 + row),
    up: times.map((_, row) => 1e6 + row),
  };
}
