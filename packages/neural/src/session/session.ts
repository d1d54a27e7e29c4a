import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import type { ElementType, Tensor } from "../graph/tensor.ts";
import { elementTypes, tensor } from "../graph/tensor.ts";

/** A model ready to answer. `run` blocks its thread while it computes: give it a worker or a child process where that matters. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Tensors): Promise<Tensors>;
  /**
   * Prepares a run on memory that the caller keeps: each call reads `feeds` as they are then and writes all outputs into
   * `results`. Nothing is allocated or copied.
   */
  bind(feeds: Tensors, results: Tensors): () => Promise<void>;
  /** Frees the native memory; the session cannot be used afterwards. */
  close(): Promise<void>;
}

export type Tensors = Readonly<Record<string, Tensor>>;

export interface SessionSettings {
  /** Threads of one operator. One is the fastest for networks of our size, and leaves the other cores to others. */
  readonly threads?: number;
}

/**
 * Opens an ONNX model from its bytes on onnxruntime's CPU provider.
 *
 * @throws Error of onnxruntime when the bytes are not a model it can run
 */
export async function openSession(model: Uint8Array, settings: SessionSettings = {}): Promise<Session> {
  const session = await InferenceSession.create(model, sessionOptions(settings));
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds) {
      const results = await session.run(toOnnx(feeds));
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, fromOnnx(name, value)]),
      );
    },
    bind(feeds, results) {
      const [inputs, outputs] = [toOnnx(feeds), toOnnx(results)];
      return async () => void (await session.run(inputs, outputs));
    },
    close: () => session.release(),
  };
}

/** CPU, one operator after another, all graph optimisations. */
function sessionOptions({ threads = 1 }: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Errors reach the caller as exceptions; warnings about unused constants reach nobody.
    logSeverityLevel: 3,
  };
}

/** The same memory as onnxruntime tensors: nothing is copied. */
function toOnnx(tensors: Tensors): Record<string, OnnxTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, shape, data }]) => [name, new OnnxTensor(type, data, shape)]),
  );
}

function fromOnnx(name: string, value: OnnxTensor): Tensor {
  if (!isElementType(value.type))
    throw new Error(`Output ${name} has the type ${value.type}, which FLTS does not use`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- onnxruntime pairs type and array as our table does
  return tensor(value.type, value.dims, value.data as Tensor["data"]);
}

const isElementType = (type: string): type is ElementType => type in elementTypes;
