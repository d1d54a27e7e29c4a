import { encodeModel } from "../graph/model.ts";
import { float32, int32 } from "../graph/tensor.ts";
import type { Network } from "../networks/network.ts";
import { openSession } from "../session/session.ts";
import { type BatchShape, forecastGraph } from "./training-graph.ts";
import { batchArrays, fillBatch } from "./windows.ts";

/** A network that forecasts from a resident table with parameters that change between calls. */
export interface Forecasts {
  /**
   * @param starts  first rows of the windows, any number of them
   * @param parameters  flat, in the network's order
   * @returns [starts.length, horizon · targets], row-major
   * @throws the signal's reason once it has aborted
   */
  forecast(starts: Int32Array, parameters: Float32Array, signal?: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openForecasts(
  network: Network,
  shape: BatchShape,
  features: Float32Array,
): Promise<Forecasts> {
  const { rows, batch, window } = shape;
  const outputs = shape.horizon * shape.targets;
  const session = await openSession(encodeModel(forecastGraph(network, shape)));
  const drawn = batchArrays(shape);
  const table = float32([rows, shape.features], features);
  const windowRows = int32([batch, window], drawn.windowRows);
  return {
    async forecast(starts, parameters, signal) {
      const forecasts = new Float32Array(starts.length * outputs);
      const answer = new Float32Array(batch * outputs);
      const run = session.bind(
        { features: table, windowRows, parameters: float32([parameters.length], parameters) },
        { forecast: float32([batch, outputs], answer) },
      );
      for (let done = 0; done < starts.length; done += batch) {
        signal?.throwIfAborted();
        const some = starts.subarray(done, done + batch);
        fillBatch(drawn, shape, some);
        await run();
        forecasts.set(answer.subarray(0, some.length * outputs), done * outputs);
      }
      return forecasts;
    },
    close: () => session.close(),
  };
}
