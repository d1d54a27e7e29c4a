/**
 * What the stages need of MLflow: experiments of runs with parameters, metrics by step, tags and artifacts, and a registry of models. Every
 * operation on a run that was never started throws RUN_MISSING, except `getRun`; a path that is not a plain relative one is TRACKER_REJECTED.
 */
export interface RunTracker extends ModelRegistry {
  /** Starts a run; run ids are 32 hexadecimal digits. @throws TRACKER_UNAVAILABLE, TRACKER_REJECTED */
  startRun(run: NewRun): Promise<RunInfo>;
  /** Parameters are written once: another value for the same name is TRACKER_REJECTED, the same value is no fault. */
  logParams(runId: string, params: Readonly<Record<string, string>>): Promise<void>;
  logMetrics(runId: string, points: readonly MetricPoint[]): Promise<void>;
  setTags(runId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  endRun(runId: string, status: "FINISHED" | "FAILED" | "KILLED"): Promise<void>;
  /** The run with its parameters, latest metrics and tags, or null. */
  getRun(runId: string): Promise<Run | null>;
  /** Runs of an experiment (all when null) that carry every given tag, newest first. */
  findRuns(experiment: string | null, tags: Readonly<Record<string, string>>): Promise<readonly Run[]>;
  metricHistory(runId: string, metric: string): Promise<readonly MetricPoint[]>;
  /** Stores a file of the run under a relative path, such as `LSTM/model.onnx`; the same path again replaces it. */
  putArtifact(runId: string, path: string, bytes: Uint8Array): Promise<void>;
  /** The file's bytes, or null. */
  getArtifact(runId: string, path: string): Promise<Uint8Array | null>;
  /** Paths of all files of the run below `folder`, in alphabetical order; "" for all. */
  listArtifacts(runId: string, folder: string): Promise<readonly string[]>;
  /** Resolves when the tracker answers. @throws TRACKER_UNAVAILABLE */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Numbered versions of named models, each a folder of a run's artifacts, and movable names for them. A name that holds a slash, a colon, a quote
 * or a control character, or is `.`, `..` or empty, is TRACKER_REJECTED.
 */
export interface ModelRegistry {
  /**
   * Registers a folder of a run as the next version of a model. Every call makes another version: a caller whose answer was lost looks in
   * `listModelVersions` for a tag of its own first.
   * @throws RUN_MISSING, TRACKER_REJECTED, TRACKER_UNAVAILABLE
   */
  registerModel(version: NewModelVersion): Promise<ModelVersion>;
  /** All versions of a model in the order of their numbers; none for an unknown model. */
  listModelVersions(model: string): Promise<readonly ModelVersion[]>;
  /**
   * Lets an alias name this version and no other. Aliases are letters, digits, `_` and `-`, but neither `latest` nor `v` and a number.
   * @throws TRACKER_REJECTED also when the model has no such version
   */
  setModelAlias(model: string, alias: string, version: string): Promise<void>;
  /** An alias that names nothing is removed already. */
  removeModelAlias(model: string, alias: string): Promise<void>;
}

export interface NewModelVersion {
  readonly model: string;
  readonly runId: string;
  /** The folder of the run's artifacts that holds the model, such as `LSTM`. */
  readonly path: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ModelVersion extends NewModelVersion {
  /** The registry's own number: "1", "2", … */
  readonly version: string;
  /** In alphabetical order. */
  readonly aliases: readonly string[];
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
}

export interface NewRun {
  readonly experiment: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface RunInfo {
  readonly runId: string;
  readonly experiment: string;
  readonly name: string;
  /** Where the run's files lie, for people; nothing parses it. */
  readonly artifactUri: string;
}

export interface Run extends RunInfo {
  readonly status: "RUNNING" | "FINISHED" | "FAILED" | "KILLED";
  /** Milliseconds since 1970 UTC. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly params: Readonly<Record<string, string>>;
  /** The value with the highest step of each metric. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface MetricPoint {
  readonly name: string;
  readonly value: number;
  /** 1-based, usually the epoch. */
  readonly step: number;
}
