import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Environment } from "./backends.ts";
import { stationCsv } from "./flts.ts";
import { type ServiceProcess, startService } from "./service-process.ts";

/** The services as the cluster runs them: each in its own process, knowing the others by the backends alone. */
export interface Cluster {
  readonly gateway: string;
  readonly eval: string;
  /** URLs of the replicas. */
  readonly inference: readonly string[];
  readonly services: readonly ServiceProcess[];
  /** What the gateway was given, by name. */
  readonly dataset: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Ends all services. @returns how each ended, by name */
  stop(): Promise<ReadonlyMap<string, number | string | null>>;
}

/** Each family's trainer, in the consumer group that the reference gives it. */
export const trainers = [
  { family: "LINEAR", group: "train-linear" },
  { family: "LSTM", group: "train-lstm" },
  { family: "PROPHET", group: "nonml-prophet" },
] as const;

export const replicas = ["inference-0", "inference-1"] as const;

/** Digest of the default settings for PobleSec, as the reference computes it. */
export const CONFIG_HASH = "6ce79cfae0029f0499e5ca7a14f996ee0fe8c7d4f2a4bbf2fe78d3ae6b155ea9";

export const promotionToken = "a-token-for-tests";

/** Small enough to be trained in seconds. */
const network = { EPOCHS: "2", HIDDEN_SIZE: "16", NUM_LAYERS: "1", BATCH_SIZE: "64" };
const window = { INPUT_SEQ_LEN: "10", OUTPUT_SEQ_LEN: "1" };

/**
 * Starts all services on the backends that `backends` names for each of them, and resolves when all are ready.
 * @param backends settings of the backends for the service of that name
 */
export async function startCluster(backends: (service: string) => Environment): Promise<Cluster> {
  const expected = { EXPECTED_MODEL_TYPES: trainers.map(({ family }) => family).join(",") };
  const start = (name: string, folder: string, settings: Environment): ServiceProcess =>
    startService(name, folder, { ...processSettings, ...backends(name), ...settings });
  const gateway = start("gateway", "gateway", {});
  const judge = start("eval", "eval", { ...expected, PROMOTION_API_TOKEN: promotionToken });
  const inference = replicas.map((name) =>
    start(name, "inference", { POD_NAME: name, PREDICTION_LOG_RATE: "1" }),
  );
  const training = trainers.map(({ family, group }) =>
    start(`train-${family.toLowerCase()}`, "train", {
      ...network,
      ...window,
      ...expected,
      MODEL_TYPE: family,
      CONSUMER_GROUP_ID: group,
    }),
  );
  const services = [gateway, judge, ...inference, ...training];
  const cluster = {
    services,
    dataset: readDataset(),
    async stop() {
      for (const service of services) service.stop();
      return new Map(
        await Promise.all(services.map(async ({ name, ended }) => [name, await ended] as const)),
      );
    },
  };
  try {
    await Promise.all(services.map(({ ready }) => ready));
    return {
      ...cluster,
      gateway: await urlOf(gateway),
      eval: await urlOf(judge),
      inference: await Promise.all(inference.map(urlOf)),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Uploads the measurements through the gateway, and runs the preprocess job on them to its end. */
export async function preprocess(
  { gateway, dataset }: Cluster,
  backends: (service: string) => Environment,
): Promise<void> {
  for (const [name, body] of dataset) {
    const answer = await fetch(`${gateway}/upload/dataset/${name}`, {
      method: "POST",
      body: new Blob([body]),
    });
    expect(answer.status, await answer.text()).toBe(200);
  }
  const job = startService("preprocess", "preprocess", { ...processSettings, ...backends("preprocess") });
  expect(await job.ended, job.lines.slice(-10).join("\n")).toBe(0);
}

const processSettings = {
  HOST: "127.0.0.1",
  PORT: "0",
  METRICS_PORT: "0",
  LOG_PRETTY: "0",
  DATASET_NAME: "PobleSec",
};

const urlOf = async ({ ready }: ServiceProcess): Promise<string> => String((await ready)["url"]);

/** PobleSec where it is at hand; made-up rows under its name elsewhere. */
function readDataset(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const folder = process.env["FLTS_DATASET_DIR"] ?? "";
  const read = (name: string, rows: number, from: number): Uint8Array<ArrayBuffer> =>
    folder === ""
      ? new TextEncoder().encode(stationCsv(rows, from))
      : new Uint8Array(readFileSync(join(folder, name)));
  return new Map([
    ["PobleSec.csv", read("PobleSec.csv", 900, 0)],
    ["PobleSec_test.csv", read("PobleSec_test.csv", 300, 900)],
  ]);
}
