import { invertScaling } from "@flts/common/scaler/scaling";
import { setting } from "@flts/common/service/config";
import { fitLinear, PENALTY_ROWS } from "@flts/forecasting/linear/fit";
import { createTable } from "@flts/forecasting/table/table";
import { defineFamily } from "../family.ts";
import { MODEL_FILE, onnxForecaster } from "../onnx-forecaster.ts";
import { linearModelFile } from "./graph.ts";

/** The mean of two penalised auto-regressions: a second to train, hard to beat. It has no stopping to do, so that it learns from the stop rows too. */
export const linear = defineFamily({
  name: "LINEAR",
  experiment: "Default",
  settings: { INPUT_SEQ_LEN: setting.int(10, { min: 1, max: 10_000 }) },
  shapeOf: ({ INPUT_SEQ_LEN }) => ({ window: INPUT_SEQ_LEN, horizon: 1 }),
  async train({ table, scaling, targets, split, settings, onProgress }) {
    const window = settings.INPUT_SEQ_LEN;
    const raw = createTable(
      table.timesMs,
      table.columns,
      invertScaling(scaling, table.columns, table.values),
    );
    const model = fitLinear(raw, { targets, window, rows: [split.fit[0], split.stop[1]] });
    onProgress({ fraction: 1 });
    const encoder = new TextEncoder();
    return {
      files: new Map([
        [MODEL_FILE, linearModelFile(model, { family: "LINEAR" })],
        ["coefficients.json", encoder.encode(`${JSON.stringify(model)}\n`)],
      ]),
      attachments: new Map(),
      params: {
        model_type: "LINEAR",
        input_size: String(table.columns.length),
        input_sequence_length: String(window),
        output_sequence_length: "1",
        penalty_rows: String(PENALTY_ROWS),
      },
      metrics: [],
    };
  },
  load: onnxForecaster,
});
