import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { encodeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import { modelSelected, modelTraining } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { emit, parseEvent } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { type RunningStage, startStage, toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { afterEach, beforeEach, expect, test } from "vitest";
import { evalStage } from "../src/eval-stage.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { createWaitingRoom } from "../src/round/waiting.ts";
import { createStationBook } from "../src/stations.ts";
import { type SweepDeps, sweep } from "../src/sweep/sweep.ts";
import { bucket, patienceFor } from "./builders.ts";
import { createWorld, successOf, type World, type WorldTraining } from "./trained-world.ts";

/**
 * The validation report's incident (§5.2): eval restarted between a SUCCESS and the one that would have completed the round, and the promotion was lost. And
 * the report's three ways out of it, each of which must work. On the embedded backends, or on those that the environment names (`KAFKA_BOOTSTRAP_SERVERS`,
 * `S3_ENDPOINT`, `MLFLOW_TRACKING_URI`); stations and groups are new with each test, so a shared server does no harm.
 */
export function testIncident(environment: Readonly<Record<string, string | undefined>>): void {
  let home: string;
  let backends: Backends;
  let world: World;
  let station: string;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "flts-incident-"));
    backends = await connectBackends(
      loadConfig(backendSettings, { ...environment, FLTS_HOME: home, EMBEDDED_LOG_LEASE_MS: "500" }),
    );
    await backends.log.ensureTopics(pipelineTopics(2));
    world = await createWorld(backends);
    station = `station-${backends.random.hex(6)}`;
  });

  afterEach(async () => {
    await backends.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** What eval is between two of its deaths; nothing of it outlives them. */
  async function startEval(): Promise<RunningStage> {
    const deps = world.evalDeps({
      store: backends.store,
      clock: backends.clock,
      ledger: createLedger(backends.store, bucket),
      waiting: createWaitingRoom(backends.store, bucket, backends.clock),
      stations: createStationBook(backends.store, bucket),
      patience: patienceFor(["GRU", "LSTM"]),
      // Models of one epoch would not pass the gate, which is not what this is about.
      judgeRound: (candidates, champion) => world.judge(candidates, champion, "off"),
    });
    return startStage(evalStage, {
      log: backends.log,
      deps,
      clock: backends.clock,
      random: backends.random,
      policy: defaultRetryPolicy,
      group: `eval-${station}`,
      report: () => undefined,
      onFatal: (error) => {
        throw error;
      },
    });
  }

  const small = { HIDDEN_SIZE: "4", NUM_LAYERS: "1", EPOCHS: "1" };
  const train = (family: string, training: WorldTraining = {}): Promise<Candidate> =>
    world.train({ to: 400, family, settings: small, identifier: station, round: station, ...training });
  const publish = (candidate: Candidate): Promise<void> =>
    backends.log.publish([toMessage(emit(modelTraining, successOf(candidate)))]);

  const head = (): Promise<Promotion | null> => createLedger(backends.store, bucket).head(station);

  /** What was announced of the station. */
  async function announced(): Promise<readonly Promotion[]> {
    const events: Promotion[] = [];
    for await (const { value } of backends.log.browse(modelSelected.name)) {
      const event = parseEvent(modelSelected, value);
      if (event.identifier === station) events.push(event);
    }
    return events;
  }

  /** Every message of the topic is done for eval's group. */
  async function settled(): Promise<boolean> {
    const partitions = await backends.log.lag(`eval-${station}`, [modelTraining.name]);
    return partitions.every(({ committed, end }) => committed === end || end === 0n);
  }

  const poll = { timeout: 30_000, interval: 50 };

  test("eval restarted between the SUCCESS of LSTM and that of GRU promotes after the restart, with no new training", async () => {
    const lstm = await train("LSTM");
    const first = await startEval();
    await publish(lstm);
    await expect.poll(settled, poll).toBe(true);
    expect(await head()).toBeNull();
    await first.stop();

    const gru = await train("GRU");
    await publish(gru);
    const second = await startEval();
    await expect.poll(async () => (await head())?.epoch, poll).toBe(1);
    await expect.poll(announced, poll).toHaveLength(1);
    expect([lstm.run_id, gru.run_id]).toContain((await head())?.run_id);
    expect(await announced()).toEqual([await head()]);
    await second.stop();
  }, 60_000);

  test("way A: a pointer that an operator lays into the store is adopted with a warning, and announced", async () => {
    const lstm = await train("LSTM");
    await backends.store.put(
      { bucket, key: `${station}/${"6ce79cfa".repeat(8)}/current.json` },
      encodeDocument({
        model_uri: `s3://mlflow/0/${lstm.run_id}/artifacts/LSTM`,
        run_id: lstm.run_id,
        experiment_name: "Default",
        model_type: "LSTM",
        config_hash: lstm.config_hash,
        score: 0.6717,
        timestamp: "2025-11-04T23:05:00Z",
      }),
    );
    const deps = world.evalDeps({ store: backends.store, clock: backends.clock });
    await deps.stations.note(station);
    const sweepDeps: SweepDeps = {
      ...deps,
      publish: (emissions) => backends.log.publish(emissions.map(toMessage)),
      champions: { check: async () => undefined },
      registry: { flush: async () => undefined, follow: async () => undefined },
      onWaiting: () => undefined,
      onChampion: () => undefined,
    };
    await sweep(sweepDeps, new AbortController().signal);
    expect(await head()).toMatchObject({ epoch: 1, run_id: lstm.run_id, source: "manual" });
    expect(await announced()).toEqual([await head()]);
    expect(world.lines).toContainEqual(
      expect.objectContaining({ event: "promotion_pointer_adopted", level: "warn", run_id: lstm.run_id }),
    );
  }, 60_000);

  test("way B: a new training under another salt is a round of its own, and decided as one", async () => {
    const running = await startEval();
    await publish(await train("LSTM"));
    for (const family of ["LSTM", "GRU"])
      await publish(await train(family, { round: `${station}-salted`, window: 5 }));
    await expect.poll(async () => (await head())?.epoch, poll).toBe(1);
    expect((await head())?.round).not.toBe((await train("LSTM")).round);
    await running.stop();
  }, 60_000);

  test("way C: a group that is set back to the beginning hears all again, and promotes nothing twice", async () => {
    const first = await startEval();
    for (const family of ["LSTM", "GRU"]) await publish(await train(family));
    await expect.poll(async () => (await head())?.epoch, poll).toBe(1);
    await expect.poll(settled, poll).toBe(true);
    await first.stop();
    const before = await announced();
    await backends.log.removeGroup(`eval-${station}`);
    const again = await startEval();
    await expect.poll(async () => (await announced()).length, poll).toBeGreaterThan(before.length);
    await expect.poll(settled, poll).toBe(true);
    for (const event of await announced()) expect(event).toEqual(await head());
    expect(await backends.store.head({ bucket, key: keys.history(station, 2) })).toBeNull();
    await again.stop();
  }, 60_000);
}
