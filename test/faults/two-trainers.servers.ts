import { execFileSync } from "node:child_process";
import { trainingData } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { emit } from "@flts/common/contracts/topic";
import { deadLetterTopic } from "@flts/common/stage/dead-letter";
import { toMessage } from "@flts/common/stage/runner";
import { fetchArtifact } from "@flts/families/artifact";
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from "vitest";
import { keysBelow } from "./audit.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/** A training outlives its Kafka session; another trainer joins the group in the middle of it, and then the owner dies. */

/** As the site sets them. */
const SESSION_MS = 6_000;
const LEASE_MS = 2_000;
/** For a machine with other work. */
const SLACK_MS = 20_000;

let site: ServerSite;
beforeAll(async () => {
  site = await openServerSite();
}, 240_000);
afterAll(() => site?.close(), 60_000);

const patience = { timeout: 180_000, interval: 100 };

/** Log lines of that event. */
const said = (trainer: Supervised, event: string): readonly string[] =>
  trainer.lines().filter((line) => line.includes(`"event":"${event}"`));

const childOf = (trainer: Supervised): number =>
  Number(execFileSync("pgrep", ["-P", String(trainer.pid())], { encoding: "utf8" }).trim());

test("the owner keeps a claim through a rebalance, and when it dies the other one takes the claim over: one candidate", async () => {
  const station = site.station();
  const topic = `claims-${station}`;
  const { log, store, tracker } = site.backends;
  await log.ensureTopics([topic, deadLetterTopic(topic)].map((name) => ({ name, partitions: 1 })));
  const settings = {
    MODEL_TYPE: "LSTM",
    CONSUMER_TOPIC: topic,
    CONSUMER_GROUP_ID: topic,
    HIDDEN_SIZE: "16",
    NUM_LAYERS: "1",
    EPOCHS: "600",
    EARLY_STOPPING: "0",
  };
  const trainers: Supervised[] = [];
  onTestFailed(() => {
    for (const line of trainers.flatMap((trainer) => trainer.lines()))
      if (!line.includes("train_progress")) console.error(line);
  });
  const start = (): Supervised => {
    const trainer = site.supervise("train", settings);
    trainers.push(trainer);
    return trainer;
  };
  const owner = start();
  await owner.ready();
  const claim = site.claimOf(station);
  await log.publish([{ ...toMessage(emit(trainingData, claim)), topic }]);
  await vi.waitUntil(() => said(owner, "train_progress").length > 0, patience);
  // However quick the machine is, this training takes as long as we like.
  const training = childOf(owner);
  process.kill(training, "SIGSTOP");
  const begun = performance.now();

  const other = start();
  await other.ready();
  // Longer than a session: who does not poll meanwhile would be thrown out by now.
  await vi.waitUntil(() => performance.now() - begun > 2 * SESSION_MS, patience);
  expect(said(owner, "train_complete")).toEqual([]);
  expect(await tracker.findRuns(null, { round: claim.round! })).toHaveLength(1);
  expect(said(other, "train_start")).toEqual([]);

  owner.kill();
  process.kill(training, "SIGKILL");
  const died = performance.now();
  await vi.waitUntil(
    () => said(other, "train_start").length > 0 || said(owner, "train_start").length > 1,
    patience,
  );
  const takeOverMs = Math.round(performance.now() - died);
  console.info(JSON.stringify({ figure: "take_over_ms", value: takeOverMs }));
  expect(takeOverMs).toBeLessThan(SESSION_MS + LEASE_MS + SLACK_MS);
  const isDone = async (): Promise<boolean> => {
    const [{ committed, end } = { committed: null, end: 1n }] = await log.lag(topic, [topic]);
    return committed === end;
  };
  await expect.poll(isDone, patience).toBe(true);

  const candidates = await keysBelow(store, keys.candidatesOf(claim.round!));
  expect(candidates).toHaveLength(1);
  const runs = await tracker.findRuns(null, { round: claim.round! });
  expect(runs.map(({ status }) => status)).toEqual(["FINISHED", "KILLED"]);
  await fetchArtifact(tracker, { runId: runs[0]!.runId, family: "LSTM", manifestSha256: null });
  expect([...owner.crashes, ...other.crashes]).toEqual([]);
});
