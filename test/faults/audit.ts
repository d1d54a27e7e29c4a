import type { Backends } from "@flts/backends/connect";
import { readDocument } from "@flts/common/claim-check/documents";
import { candidate } from "@flts/common/contracts/candidate";
import { modelSelected, trainingData } from "@flts/common/contracts/events";
import { buckets, keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion } from "@flts/common/contracts/promotion";
import { parseEvent } from "@flts/common/contracts/topic";
import { pipelineTopics } from "@flts/common/stage/topics";
import { fetchArtifact } from "@flts/families/artifact";
import { expect } from "vitest";

/** What became of the claims, as far as the store and the log can tell. It asks no service, and reads no service's log. */

const bucket = buckets.promotion;

/** Every station has a champion, and trainer and eval have nothing left to handle. */
export async function isSettled({ store, log }: Backends, identifiers: readonly string[]): Promise<boolean> {
  for (const identifier of identifiers)
    if ((await store.head({ bucket, key: keys.head(identifier) })) === null) return false;
  for (const [group, topic] of [
    ["train-linear", "training-data"],
    ["eval-promoter", "model-training"],
  ] as const)
    for (const { committed, end } of await log.lag(group, [topic]))
      if ((committed ?? 0n) !== end) return false;
  return true;
}

/** Each claim ended in exactly one candidate and exactly one promotion, all that they refer to is whole, and nothing was given up. */
export async function audit(backends: Backends, identifiers: readonly string[]): Promise<void> {
  const rounds = await claimedRounds(backends);
  expect(rounds.size).toBe(identifiers.length);
  for (const round of rounds) await auditRound(backends, round);
  const promotions: Promotion[] = [];
  for (const identifier of identifiers) promotions.push(await auditStation(backends, identifier));
  expect(new Set(promotions.map(({ round }) => round))).toEqual(rounds);
  await auditEvents(backends, promotions);
  await auditRuns(backends, promotions);
}

async function claimedRounds({ log }: Backends): Promise<ReadonlySet<string>> {
  const rounds = new Set<string>();
  for await (const { value } of log.browse(trainingData.name)) {
    const { round } = parseEvent(trainingData, value);
    if (round !== undefined) rounds.add(round);
  }
  return rounds;
}

async function auditRound({ store, tracker }: Backends, round: string): Promise<void> {
  const candidates = await keysBelow(store, keys.candidatesOf(round));
  expect(candidates).toHaveLength(1);
  expect(await keysBelow(store, `decisions/${round}/`)).toHaveLength(1);
  const ref = { bucket, key: candidates[0] ?? "" };
  const { run_id, model_type, manifest_sha256 } = (await readDocument(
    store,
    ref,
    candidate,
    "POINTER_INVALID",
  ))!.document;
  await fetchArtifact(tracker, { runId: run_id ?? "", family: model_type, manifestSha256: manifest_sha256 });
}

async function auditStation({ store }: Backends, identifier: string): Promise<Promotion> {
  const read = async (key: string) =>
    (await readDocument(store, { bucket, key }, promotion, "POINTER_INVALID"))?.document;
  const head = await read(keys.head(identifier));
  expect(head).toMatchObject({ epoch: 1, model_type: "LINEAR", previous_epoch: null });
  expect(await keysBelow(store, keys.historyOf(identifier))).toEqual([keys.history(identifier, 1)]);
  expect(await read(keys.history(identifier, 1))).toEqual(head);
  if (identifier === "") expect(await read(keys.rootHead)).toEqual(head);
  return head!;
}

async function auditEvents({ log }: Backends, promotions: readonly Promotion[]): Promise<void> {
  const announced = new Map<string, Promotion>();
  for await (const { value } of log.browse(modelSelected.name)) {
    const event = parseEvent(modelSelected, value);
    announced.set(event.promotion_id, event);
  }
  expect(announced).toEqual(new Map(promotions.map((made) => [made.promotion_id, made])));
  for (const { name } of pipelineTopics(1).filter((topic) => topic.name.startsWith("DLQ-")))
    for await (const letter of log.browse(name)) expect(letter, `a dead letter on ${name}`).toBeUndefined();
}

/** No run is left open, and only the promoted ones are finished. */
async function auditRuns({ tracker }: Backends, promotions: readonly Promotion[]): Promise<void> {
  const promoted = new Set(promotions.map(({ run_id }) => run_id));
  for (const { runId, status } of await tracker.findRuns(null, {}))
    expect({ runId, status }).toEqual({ runId, status: promoted.has(runId) ? "FINISHED" : "KILLED" });
}

async function keysBelow(store: Backends["store"], prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(bucket, prefix)) found.push(key);
  return found;
}
