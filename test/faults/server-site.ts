import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import type { TrainingClaim } from "@flts/common/contracts/claim";
import { trainingData } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { emit } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { toMessage } from "@flts/common/stage/runner";
import { expect } from "vitest";
import { type Environment, serversOf } from "../e2e/backends.ts";
import { stationCsv } from "../e2e/flts.ts";
import { startService } from "../e2e/service-process.ts";
import { isSettled } from "./audit.ts";
import { type Supervised, supervise } from "./supervisor.ts";

/**
 * The services on real servers, kept running from one scenario to the next. Each scenario has stations of its own, with names that nobody used before; what it
 * claims is the one table that the site has made.
 */
export interface ServerSite {
  /** The servers, as the auditor sees them. */
  readonly backends: Backends;
  readonly settings: Environment;
  /** A name that no station has had. */
  station(): string;
  /** Uploads measurements under a station's name. */
  upload(station: string): Promise<void>;
  /** Runs the preprocess job on them to its end. @returns its exit code, or the signal that ended it */
  preprocess(station: string, environment?: Environment): Promise<number | string | null>;
  /** The claim on the site's table, in another station's name and for a round of its own. */
  claimOf(station: string): TrainingClaim;
  /** Publishes that claim. */
  claim(station: string): Promise<TrainingClaim>;
  /** Starts a service that is kept alive until the site closes. */
  supervise(folder: string, settings?: Environment, places?: readonly string[]): Supervised;
  /** Resolves when all claims of these stations have led to promotions. */
  settled(stations: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Claims, trainings and decisions come through within this time, however busy the machine is. */
const settleMs = 180_000;

export async function openServerSite(): Promise<ServerSite> {
  serversOf(process.env); // says what is missing
  const home = mkdtempSync(join(tmpdir(), "flts-faults-"));
  const settings: Environment = {
    FLTS_HOME: home,
    HOST: "127.0.0.1",
    PORT: "0",
    METRICS_PORT: "0",
    LOG_PRETTY: "0",
    // The shortest that brokers allow by default: a member that was killed is missed so long.
    KAFKA_SESSION_TIMEOUT_MS: "6000",
    TRAIN_LEASE_MS: "2000",
    CLAIM_MISSING_GRACE_MS: "2000",
    MODEL_TYPE: "LINEAR",
    EXPECTED_MODEL_TYPES: "LINEAR",
    // Every round on the same table makes another epoch.
    PROMOTION_GATE: "off",
    PROMOTION_API_TOKEN: "a-token-for-tests",
  };
  const backends = await connectBackends(loadConfig(backendSettings, process.env));
  const supervised: Supervised[] = [];
  const tag = randomBytes(3).toString("hex");
  let names = 0;
  let rounds = 0;

  const station = (): string => {
    names += 1;
    return `s${tag}-${names}`;
  };
  const upload = async (name: string): Promise<void> => {
    await backends.store.ensureBucket("dataset");
    for (const [suffix, rows, from] of [
      ["", 700, 0],
      ["_test", 200, 700],
    ] as const) {
      const ref = { bucket: "dataset", key: `${name}${suffix}.csv` };
      await backends.store.put(ref, Buffer.from(stationCsv(rows, from)));
    }
  };
  const preprocess = (name: string, environment: Environment = {}): Promise<number | string | null> =>
    startService("preprocess", "preprocess", {
      ...settings,
      DATASET_NAME: name,
      IDENTIFIER: name,
      ...environment,
    }).ended;

  const first = station();
  await upload(first);
  expect(await preprocess(first)).toBe(0);
  const table = await claimAbout(backends, first);
  const claimOf = (name: string): TrainingClaim => {
    rounds += 1;
    return { ...table, identifier: name, round: sha256(`${name}/${rounds}`) };
  };
  return {
    backends,
    settings,
    station,
    upload,
    preprocess,
    claimOf,
    async claim(name) {
      const claim = claimOf(name);
      await backends.log.publish([toMessage(emit(trainingData, claim))]);
      return claim;
    },
    supervise(folder, own = {}, places = []) {
      const service = supervise(`${folder}-${supervised.length}`, folder, { ...settings, ...own }, places);
      supervised.push(service);
      return service;
    },
    async settled(stations) {
      const look = () => isSettled(backends, stations);
      await expect.poll(look, { timeout: settleMs, interval: 250 }).toBe(true);
    },
    async close() {
      await Promise.all(supervised.map((service) => service.stop()));
      await backends.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function claimAbout({ log }: Backends, station: string): Promise<TrainingClaim> {
  for await (const { value } of log.browse(trainingData.name)) {
    const text = Buffer.from(value).toString();
    if (text.includes(`"${station}"`)) return trainingData.schema.parse(JSON.parse(text));
  }
  throw new Error(`preprocess has claimed nothing for ${station}`);
}
