import type { Champion } from "../model/model-slot.ts";

/** A tensor as the protocol describes it; −1 stands for any number of windows. */
export interface TensorDescription {
  readonly name: string;
  readonly datatype: "FP64" | "INT64";
  readonly shape: readonly number[];
}

export interface ModelTensors {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly (TensorDescription & { readonly name: OutputName })[];
}

export const WINDOW = "window";
export const END_TIMES = "end_time_ms";
/** Outputs, in order, and the series that each shows. */
export const seriesOf = { forecast: "values", lower: "lower", upper: "upper" } as const;
export type OutputName = keyof typeof seriesOf;
export const outputNames: readonly OutputName[] = ["forecast", "lower", "upper"];

/** What a champion takes and gives, in raw units: the tensors of its ONNX graph where it has one, times for families that need them, and intervals. */
export function tensorsOf({ window, columns, horizon, targets }: Champion["model"]): ModelTensors {
  return {
    inputs: [
      { name: WINDOW, datatype: "FP64", shape: [-1, window, columns.length] },
      { name: END_TIMES, datatype: "INT64", shape: [-1] },
    ],
    outputs: outputNames.map((name) => ({ name, datatype: "FP64", shape: [-1, horizon, targets.length] })),
  };
}
