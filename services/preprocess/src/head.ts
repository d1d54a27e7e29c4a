import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { scalingSchema } from "@flts/common/scaler/scaling";
import { z } from "zod";

/**
 * `<name>.meta.json`: which table is the present one of a station, where it came from and how it was made. The reference's fields
 * (behaviour §3.1), with digests. The one mutable object of the stage: tables themselves never change.
 */
export const tableHead = z.looseObject({
  identifier: z.string(),
  source_bucket: z.string(),
  train_source_object: z.string(),
  test_source_object: z.string(),
  /** The canonical text of the settings, whose digest is `config_hash`. */
  config: z.string(),
  config_hash: z.string(),
  created_at: z.string(),
  scaler_type: z.string(),
  output_object: z.string(),
  row_count: z.number().int().nonnegative(),
  column_names: z.array(z.string()),

  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  round: z.string(),
  output_bucket: z.string(),
  size: z.number().int().nonnegative(),
  sha256: z.string(),
  train_source_sha256: z.string(),
  test_source_sha256: z.string(),
  /** Fitted on the train table, applied to both. */
  scaling: scalingSchema,
});
export type TableHead = z.infer<typeof tableHead>;
