import { Counter, Gauge, type Registry } from "prom-client";
import type { LiveErrorDocument } from "./live-error.ts";
import { rollingErrors } from "./rolling-error.ts";

/** What is known of the forecasts' worth, and how the knowing goes. */
export interface LiveMetrics {
  observe(live: LiveErrorDocument): void;
  countBatch(outcome: "forecast" | "duplicate"): void;
  countLogged(predictions: number): void;
  countDropped(predictions: number): void;
}

export function createLiveMetrics(registry: Registry): LiveMetrics {
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers });
  const perTarget = (name: string, help: string) => gauge(name, help, ["identifier", "target"]);
  const rows = perTarget("inference_live_rows", "Rows of the window that had been forecast before they came");
  const rmse = perTarget("inference_live_rmse", "Root of the mean squared error over these rows, raw units");
  const mae = perTarget("inference_live_mae", "Mean absolute error over these rows, raw units");
  const coverage = perTarget("inference_live_coverage", "Share of these rows inside their 90 % interval");
  const skill = perTarget(
    "inference_live_skill",
    "1 - rmse / rmse of persistence; below 0: worse than the last value",
  );
  const until = gauge("inference_live_truth_timestamp_seconds", "Time of the last measured row that came", [
    "identifier",
  ]);
  const psi = gauge(
    "inference_input_psi",
    "Population stability index of an input column against the same hours of the training table; above 0.25: it has moved",
    ["identifier", "column"],
  );
  const batches = new Counter({
    name: "inference_batch_forecasts_total",
    help: "Claimed tables that were forecast, or had been before",
    labelNames: ["outcome"],
    registers,
  });
  const logged = new Counter({
    name: "inference_predictions_logged_total",
    help: "Answers to requests that were kept for the truth",
    registers,
  });
  const dropped = new Counter({
    name: "inference_predictions_dropped_total",
    help: "Answers that should have been kept and were not, for want of room or store",
    registers,
  });
  return {
    observe({ identifier, rows: scored, scored_until, drift }) {
      for (const [target, error] of Object.entries(rollingErrors(scored))) {
        rows.set({ identifier, target }, error.rows);
        rmse.set({ identifier, target }, error.rmse);
        mae.set({ identifier, target }, error.mae);
        coverage.set({ identifier, target }, error.coverage);
        show(skill, { identifier, target }, error.skill);
      }
      until.set({ identifier }, Date.parse(`${scored_until}Z`) / 1000);
      for (const [column, index] of Object.entries(drift)) show(psi, { identifier, column }, index);
    },
    countBatch: (outcome) => batches.inc({ outcome }),
    countLogged: (predictions) => logged.inc(predictions),
    countDropped: (predictions) => dropped.inc(predictions),
  };
}

/** What nobody knows any more is not shown as it was. */
function show<Label extends string>(
  gauge: Gauge<Label>,
  labels: Record<Label, string>,
  value: number | null,
): void {
  if (value === null) gauge.remove(labels);
  else gauge.set(labels, value);
}
