/** Another server for the same model. */
export interface Peer {
  readonly name: string;
  /** The packages whose versions are told; the first is the peer itself. */
  readonly packages: readonly string[];
  /** The environment variable that names an interpreter with them. */
  readonly python: "PEERS_PYTHON" | "MLSERVER_PYTHON";
  /** What Python runs to serve the model, given a port and a folder of its own. */
  start(place: PeerPlace): readonly string[];
  /** Where it says that it is ready. */
  readonly readyPath: string;
  readonly path: string;
  readonly body: "predict" | "oip" | "inputs" | "window";
  /** The forecast in an answer. */
  read(answer: unknown): number;
}

export interface PeerPlace {
  readonly port: number;
  /** The model as MLflow keeps it: MLmodel, model.onnx, manifest.json. */
  readonly model: string;
  /** For files of the peer's own. */
  readonly folder: string;
}
