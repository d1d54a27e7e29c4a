import { z } from "zod";
import { MAX_STEPS } from "../predict/request.ts";

/** The query of `POST /predict/bulk`. */
export const bulkQuery = z.object({
  inference_length: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_STEPS)
    .default(1)
    .describe("Steps to forecast after the last row of each series"),
  identifier: z
    .string()
    .optional()
    .describe("The station whose champion answers; the replica's own when not said"),
  index_col: z.string().optional().describe("The column of time stamps; else ts, timestamp, time or date"),
  series_col: z
    .string()
    .default("series")
    .describe("The column that names the series of a row; without it, all rows are one"),
});
export type BulkQuery = z.infer<typeof bulkQuery>;
