import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "./peer.ts";

const HOST = "127.0.0.1";

/** The first number in lists of lists. */
const firstNumber = (value: unknown): number =>
  Array.isArray(value) ? firstNumber(value[0]) : Number(value);

const mlserver = (name: string, settings: Readonly<Record<string, number>>): Peer => ({
  name,
  packages: ["mlserver", "fastapi", "uvicorn", "onnxruntime"],
  python: "MLSERVER_PYTHON",
  start({ port, folder }) {
    mkdirSync(folder, { recursive: true });
    const server = {
      host: HOST,
      http_port: port,
      grpc_port: port + 1,
      metrics_endpoint: null,
      parallel_workers: 0,
      debug: false,
    };
    const model = { name: "default", implementation: "mlserver_runtime.OnnxRuntime", ...settings };
    writeFileSync(join(folder, "settings.json"), JSON.stringify(server));
    writeFileSync(join(folder, "model-settings.json"), JSON.stringify(model));
    return ["-c", "from mlserver.cli import main; main()", "start", folder];
  },
  readyPath: "/v2/models/default/ready",
  path: "/v2/models/default/infer",
  body: "oip",
  read: (answer) => firstNumber((answer as { outputs: { data: unknown }[] }).outputs[0]?.data),
});

/** Each as one process, otherwise as its documentation sets it up; none was tuned further: uvloop and httptools, no access log, no worker processes in between. */
export const peers: readonly Peer[] = [
  {
    name: "fastapi",
    packages: ["fastapi", "uvicorn", "orjson", "onnxruntime"],
    python: "PEERS_PYTHON",
    start: ({ port }) => [
      "-m",
      "uvicorn",
      "fastapi_app:app",
      "--host",
      HOST,
      "--port",
      String(port),
      "--no-access-log",
      "--log-level",
      "warning",
    ],
    readyPath: "/openapi.json",
    path: "/predict",
    body: "predict",
    read: (answer) => (answer as { predictions: { down: number }[] }).predictions[0]?.down ?? Number.NaN,
  },
  mlserver("mlserver", {}),
  mlserver("mlserver.batching", { max_batch_size: 64, max_batch_time: 0.001 }),
  {
    name: "mlflow",
    packages: ["mlflow", "fastapi", "uvicorn", "onnxruntime"],
    python: "PEERS_PYTHON",
    start: ({ port, model }) => [
      "-m",
      "mlflow",
      "models",
      "serve",
      "--model-uri",
      model,
      "--env-manager",
      "local",
      "--host",
      HOST,
      "--port",
      String(port),
      "--workers",
      "1",
    ],
    readyPath: "/ping",
    path: "/invocations",
    body: "inputs",
    read: (answer) => firstNumber(forecastOf((answer as { predictions: unknown }).predictions)),
  },
  {
    name: "bentoml",
    packages: ["bentoml", "uvicorn", "onnxruntime"],
    python: "PEERS_PYTHON",
    start: ({ port }) => [
      "-m",
      "bentoml",
      "serve",
      "bentoml_service:Forecaster",
      "--host",
      HOST,
      "--port",
      String(port),
    ],
    readyPath: "/readyz",
    path: "/infer",
    body: "window",
    read: firstNumber,
  },
];

const forecastOf = (predictions: unknown): unknown =>
  typeof predictions === "object" && predictions !== null && "forecast" in predictions
    ? predictions.forecast
    : predictions;
