import type { Logger } from "@flts/common/service/logger";
import type { TableReport } from "@flts/forecasting/preprocess/frame";
import type { Pair } from "@flts/forecasting/preprocess/pipeline";
import type { PreprocessSettings } from "@flts/forecasting/preprocess/settings";
import type { ColumnSource } from "@flts/forecasting/table/columns";
import type { TableHead } from "./head.ts";

/** What the lines `pipeline_done` and `skip_idempotent` say about a pair of tables. */
export const describeTables = (train: TableHead, test: TableHead) => ({
  identifier: train.identifier,
  round: train.round,
  config_hash: train.config_hash,
  train_rows: train.row_count,
  test_rows: test.row_count,
  train_shape: [train.row_count, train.column_names.length],
  test_shape: [test.row_count, test.column_names.length],
  columns: train.column_names,
});

/** One line for what sampling did, and one per table for what was missing and how regular its grid is. */
export function logSteps(
  log: Logger,
  { data }: PreprocessSettings,
  raw: Pair<ColumnSource>,
  made: Pair<ColumnSource>,
  report: Pair<TableReport>,
): void {
  if (data.sampleTrainRows > 0 || data.sampleTestRows > 0)
    log.info("sampling_applied", {
      train_rows_before: raw.train.rows,
      test_rows_before: raw.test.rows,
      train_rows_after: made.train.rows,
      test_rows_after: made.test.rows,
      strategy: data.sampleStrategy,
    });
  for (const [table, { grid, imputation }] of Object.entries<TableReport>({ ...report }))
    log.info("imputation_applied", {
      table,
      filled_cells: imputation.filledCells,
      dropped_rows: imputation.droppedRows,
      dropped_columns: imputation.droppedColumns,
      step_ms: grid.stepMs,
      gaps: grid.gaps,
      missing_rows: grid.missingRows,
      irregular_share: grid.irregularShare,
    });
}
