import type { Scaling } from "@flts/common/scaler/scaling";
import type { RowSplit } from "@flts/forecasting/evaluation/split";
import type { Forecaster } from "@flts/forecasting/forecaster";
import type { Table } from "@flts/forecasting/table/table";
import type { z } from "zod";
import type { Artifact } from "./artifact.ts";
import type { ModelDescription } from "./manifest.ts";

/**
 * One kind of model: how it is trained and how it is loaded. A new family is a folder with one of these, and a line in the registry.
 * Training is pure computation: it reads the task and returns files, so that killing it at any moment leaves nothing behind.
 */
export interface Family {
  /** `MODEL_TYPE`, and the folder of its files in a run. */
  readonly name: string;
  /** MLflow experiment of its runs. */
  readonly experiment: string;
  /** Its settings as environment variables, with their defaults. */
  readonly settings: z.ZodRawShape;
  /** Whether it is made of the round's other models, and so has to wait for them. */
  readonly combines: boolean;
  /** Rows of history a forecast needs, and steps it makes, under these settings. @throws SETTINGS_INVALID, MEMBERS_MISSING */
  readonly shapeOf: (
    settings: Readonly<Record<string, unknown>>,
    members: readonly Artifact[],
  ) => {
    readonly window: number;
    readonly horizon: number;
  };
  /** Trains on the fit rows, with the stop rows to choose by. Calibrating and scoring are done for it, by {@link fitFamily}. */
  readonly train: (task: TrainingTask) => Promise<TrainedModel>;
  /** A forecaster from the files that `train` returned. */
  readonly load: (
    files: ReadonlyMap<string, Uint8Array>,
    description: ModelDescription,
  ) => Promise<Forecaster>;
}

export interface TrainingTask {
  /** All rows, scaled as preprocess left them; a family reads only its fit and stop rows. */
  readonly table: Table;
  /** Takes scaled columns back to raw units. */
  readonly scaling: Scaling;
  /** Columns to forecast, in order. */
  readonly targets: readonly string[];
  readonly split: RowSplit;
  /** The round's other models, for a family that combines them. */
  readonly members: readonly Artifact[];
  /** The family's settings by variable name, checked against its schema. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Makes every random choice: the work key. */
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  /** Share of the work done, 0 to 1. */
  readonly fraction: number;
  readonly epoch?: number;
  readonly epochs?: number;
  readonly loss?: number;
  readonly stopLoss?: number;
}

export interface TrainedModel {
  /** The columns of its windows, targets among them; all of the table's unless given. */
  readonly columns?: readonly string[];
  /** The model's files by their name inside the family's folder, such as `model.onnx`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Files of the run that are not part of the model, by their path in the run. */
  readonly attachments: ReadonlyMap<string, Uint8Array>;
  /** For the run, by MLflow's names. */
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: readonly { readonly name: string; readonly value: number; readonly step: number }[];
  /** How many of the table's first rows the model was made of; fit and stop rows unless given. */
  readonly rowsSeen?: number;
}

/** A family with its settings typed: what its own file is written against. */
export interface FamilyDefinition<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly experiment: string;
  readonly settings: Shape;
  /** Default: it stands on its own. */
  readonly combines?: boolean;
  readonly shapeOf: (
    settings: Settings<Shape>,
    members: readonly Artifact[],
  ) => { readonly window: number; readonly horizon: number };
  readonly train: (
    task: Omit<TrainingTask, "settings"> & { readonly settings: Settings<Shape> },
  ) => Promise<TrainedModel>;
  readonly load: Family["load"];
}

type Settings<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;

/** Makes a family of its definition. Settings were checked against the schema when the process started, so their type is a fact. */
export function defineFamily<Shape extends z.ZodRawShape>(definition: FamilyDefinition<Shape>): Family {
  return {
    combines: false,
    ...definition,
    shapeOf: (settings, members) => definition.shapeOf(settings as Settings<Shape>, members),
    train: (task) => definition.train({ ...task, settings: task.settings as Settings<Shape> }),
  };
}

/** The settings of a family out of a service's whole configuration. */
export function settingsOf(
  family: Family,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.keys(family.settings).map((name) => [name, config[name]]));
}
