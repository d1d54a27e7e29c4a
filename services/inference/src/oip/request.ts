import { z } from "zod";

/** What a client may say beside its tensors. Ours has no use for any of it. */
const parameters = z.record(z.string(), z.unknown()).optional();

/** Large enough for any client's number of a request. */
const MAX_ID = 256;
const MAX_RANK = 8;

const inputTensor = z.object({
  name: z.string().describe("window, or end_time_ms"),
  shape: z.array(z.int().nonnegative()).min(1).max(MAX_RANK),
  datatype: z.string().describe("FP64 or FP32 for window, INT64 for end_time_ms"),
  parameters,
  data: z
    .array(z.unknown())
    .describe("Row-major numbers, nested as the shape or flat; null is a missing cell of a window"),
});
export type InputTensor = z.infer<typeof inputTensor>;

/** The body of `POST /v2/models/{name}/infer`: JSON tensors, no binary ones. */
export const inferRequest = z.object({
  id: z.string().max(MAX_ID).optional().describe("Given back with the answer"),
  parameters,
  inputs: z.array(inputTensor).min(1),
  outputs: z
    .array(z.object({ name: z.string(), parameters }))
    .optional()
    .describe("Outputs wanted; all of them when not said"),
});
export type InferRequest = z.infer<typeof inferRequest>;

export const modelParams = z.object({
  name: z.string().describe("A station; default for the replica's own where that has no name"),
});
export const versionParams = modelParams.extend({
  version: z.string().describe("The epoch of the station's champion"),
});
