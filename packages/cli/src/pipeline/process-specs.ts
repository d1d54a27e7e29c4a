import { servingNodeOptions } from "@flts/common/service/serving-process";
import type { ProcessSpec } from "../supervisor/spawn.ts";

export interface PipelineOptions {
  /** The state folder, as an absolute path. */
  readonly home: string;
  /** Address that every service listens on. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly ports: { readonly gateway: number; readonly inference: number; readonly eval: number };
  /** Model families to train, as `MODEL_TYPE` names them. */
  readonly families: readonly string[];
  /** Variables for the trainers alone. */
  readonly trainerSettings?: Readonly<Record<string, string>>;
}

/** A station of the pipeline: which files it has, and its identifier in every key and message. */
export interface Station {
  readonly identifier: string;
  readonly dataset: string;
}

/** A single dataset is the default station, whose objects lie where the reference has them; several are told apart by their names. */
export const stationsOf = (datasets: readonly string[]): readonly Station[] =>
  datasets.map((dataset) => ({ identifier: datasets.length === 1 ? "" : dataset, dataset }));

/** The services of the pipeline in the order of their start: a trainer for each family, an inference for each station. */
export function servicesOf(
  { home, host, ports, families, trainerSettings = {} }: PipelineOptions,
  stations: readonly Station[],
): readonly ProcessSpec[] {
  const service = (name: string, folder: string, environment: Record<string, string>): ProcessSpec => ({
    name,
    module: `@flts/${folder}/main`,
    environment: { ...sharedEnvironment(home, host), ...environment },
  });
  const expected = { EXPECTED_MODEL_TYPES: families.join(",") };
  return [
    service("gateway", "gateway", { PORT: String(ports.gateway) }),
    ...families.map((family) =>
      service(trainerOf(family), "train", { ...trainerSettings, ...expected, MODEL_TYPE: family }),
    ),
    service("eval", "eval", { PORT: String(ports.eval), ...expected }),
    ...stations.map(({ identifier }, index) => {
      const name = nameFor("inference", identifier);
      // Only one of them can have the port that was asked for.
      const port = index === 0 ? ports.inference : 0;
      const environment = { PORT: String(port), IDENTIFIER: identifier, POD_NAME: name };
      return { ...service(name, "inference", environment), nodeOptions: servingNodeOptions };
    }),
  ];
}

/** The name of the process that trains a family. */
export const trainerOf = (family: string): string => `train-${family.toLowerCase()}`;

/** The name of a station's own process. */
const nameFor = (service: string, identifier: string): string =>
  identifier === "" ? service : `${service}-${identifier}`;

/** The job that preprocesses a station; several, or `*` for all, where the dataset names them. */
export function preprocessOf(
  { home, host }: Pick<PipelineOptions, "home" | "host">,
  { identifier, dataset }: Station,
): ProcessSpec {
  return {
    name: nameFor("preprocess", identifier),
    module: "@flts/preprocess/main",
    environment: {
      ...sharedEnvironment(home, host),
      IDENTIFIER: identifier,
      DATASET_NAME: dataset,
      TRAIN_FILE: "",
      TEST_FILE: "",
    },
  };
}

/** Metrics ports are any free ones: five services cannot share the one that the environment may name. */
const sharedEnvironment = (home: string, host: string): Record<string, string> => ({
  FLTS_HOME: home,
  HOST: host,
  METRICS_PORT: "0",
  LOG_PRETTY: "0",
});
