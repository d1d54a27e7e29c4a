import { encodeModel } from "../graph/model.ts";
import { float32 } from "../graph/tensor.ts";
import type { Network } from "../networks/network.ts";
import type { Weights } from "../networks/weights.ts";
import { startTape } from "../operators/tape.ts";
import { type ForecasterSpec, forecaster } from "./scaling.ts";

/**
 * A trained network as an ONNX file with scaling inside, in ONNX's standard operators; see `forecaster` for its input and
 * output.
 *
 * @param metadata  pairs for the file's `metadata_props`
 */
export function exportNetwork(
  network: Network,
  weights: Weights,
  spec: ForecasterSpec,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const graph = forecaster(spec, "float32", (builder, windows) => {
    if (network.infer) return network.infer(builder, weights, windows);
    const constants = weights.map(({ name, shape, data }) => builder.constant(float32(shape, data), name));
    return network.forward(startTape(builder), constants, windows);
  });
  return encodeModel(graph, metadata);
}
