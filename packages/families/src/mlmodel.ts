import type { ModelDescription } from "./manifest.ts";

/** Versions that MLflow's clients are told to install; any later ones load the files too. */
const requirements = ["mlflow>=3.0", "onnx>=1.17", "onnxruntime>=1.20", "numpy"];

/**
 * The files that make `<FAMILY>/` an MLflow model, which `mlflow.pyfunc.load_model` and `mlflow.onnx.load_model` read: raw float64 windows in,
 * raw float64 forecasts out.
 */
export function mlflowFiles(
  description: ModelDescription,
  modelUuid: string,
): ReadonlyMap<string, Uint8Array> {
  const { window, columns, horizon, targets } = description;
  const mlmodel = [
    "flavors:",
    "  onnx:",
    "    code: null",
    "    data: model.onnx",
    "    providers:",
    "    - CPUExecutionProvider",
    "    save_as_external_data: false",
    "  python_function:",
    "    data: model.onnx",
    "    env:",
    "      conda: conda.yaml",
    "      virtualenv: python_env.yaml",
    "    loader_module: mlflow.onnx",
    "    python_version: '3.12'",
    `model_uuid: ${modelUuid}`,
    "signature:",
    `  inputs: '${tensor("window", [-1, window, columns.length])}'`,
    `  outputs: '${tensor("forecast", [-1, horizon, targets.length])}'`,
    "  params: null",
    "",
  ].join("\n");
  const pythonEnv = ["python: '3.12'", "dependencies:", "- -r requirements.txt", ""].join("\n");
  const conda = [
    "name: mlflow-env",
    "channels:",
    "- conda-forge",
    "dependencies:",
    "- python=3.12",
    "- pip",
    "- pip:",
    ...requirements.map((requirement) => `  - ${requirement}`),
    "",
  ].join("\n");
  const encoder = new TextEncoder();
  return new Map(
    Object.entries({
      MLmodel: mlmodel,
      "python_env.yaml": pythonEnv,
      "conda.yaml": conda,
      "requirements.txt": `${requirements.join("\n")}\n`,
    }).map(([name, text]) => [name, encoder.encode(text)]),
  );
}

const tensor = (name: string, shape: readonly number[]): string =>
  JSON.stringify([{ type: "tensor", "tensor-spec": { dtype: "float64", shape }, name }]);
