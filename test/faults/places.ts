/**
 * Where services are killed on the real servers: at everything that they do which somebody else sees. In full, that is before and after each; in the short form
 * (without `FLTS_FAULTS=full`) after each, where most is left behind: what was done is done, and nobody has heard of it.
 */
const operations = {
  gateway: ["put:dataset/*"],
  preprocess: ["create:processed-data/**", "put:processed-data/**.meta.json", "publish:training-data"],
  train: [
    "create:model-promotion/_leases/**",
    "put-artifact:LINEAR/model.onnx",
    "create:model-promotion/candidates/**",
    "publish:model-training#2",
    "commit:training-data",
  ],
  eval: [
    "create:model-promotion/decisions/**",
    "create:model-promotion/*/history/**",
    "create:model-promotion/*/current.json",
    "swap:model-promotion/*/current.json",
    "publish:model-selected",
    "commit:model-training#2",
  ],
  inference: ["commit:model-selected"],
  batch: ["create:inference-logs/_batches/**", "publish:performance-eval", "commit:inference-data"],
} as const;

export const isFull = process.env["FLTS_FAULTS"] === "full";

export function placesOf(service: keyof typeof operations): readonly string[] {
  const moments = isFull ? ["before", "after"] : ["after"];
  return operations[service].flatMap((operation) => moments.map((moment) => `${moment}:${operation}`));
}
