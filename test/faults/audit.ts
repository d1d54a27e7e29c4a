import type { Backends } from "@flts/backends/connect";
import { readDocument } from "@flts/common/claim-check/documents";
import { candidate } from "@flts/common/contracts/candidate";
import { modelSelected, trainingData } from "@flts/common/contracts/events";
import { buckets, keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion } from "@flts/common/contracts/promotion";
import { pipelineTopics } from "@flts/common/stage/topics";
import { fetchArtifact } from "@flts/families/artifact";
import { expect } from "vitest";

/** What became of the claims of some stations, as far as the store, the log and the tracker can tell. It asks no service, and reads no service's log. */

const bucket = buckets.promotion;

/** Every claim of these stations has led to an epoch, and trainer and eval have nothing left to handle. */
export async function isSettled(backends: Backends, identifiers: readonly string[]): Promise<boolean> {
  for (const identifier of identifiers) if ((await headOf(backends, identifier)) === null) return false;
  for (const [group, topic] of [
    ["train-linear", "training-data"],
    ["eval-promoter", "model-training"],
  ] as const)
    for (const { committed, end } of await backends.log.lag(group, [topic]))
      if ((committed ?? 0n) !== end) return false;
  for (const [identifier, rounds] of await claimedRounds(backends, identifiers))
    if (((await headOf(backends, identifier))?.epoch ?? 0) < rounds.size) return false;
  return true;
}

/** Each round ended in exactly one candidate and exactly one promotion, all that they refer to is whole, and nothing was given up. */
export async function audit(backends: Backends, identifiers: readonly string[]): Promise<void> {
  const promotions: Promotion[] = [];
  for (const [identifier, rounds] of await claimedRounds(backends, identifiers)) {
    for (const round of rounds) await auditRound(backends, round);
    const history = await auditStation(backends, identifier, rounds.size);
    expect(new Set(history.map(({ round }) => round))).toEqual(rounds);
    promotions.push(...history);
  }
  await auditEvents(backends, identifiers, promotions);
  await auditRuns(backends, identifiers, promotions);
  await expectNoLetters(backends, identifiers);
}

/** Rounds by station; a station without a claim is a fault. */
async function claimedRounds(
  { log }: Backends,
  identifiers: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rounds = new Map(identifiers.map((identifier) => [identifier, new Set<string>()]));
  for await (const { value } of log.browse(trainingData.name)) {
    const claim = trainingData.schema.safeParse(parseJson(value)).data;
    if (claim?.round !== undefined) rounds.get(claim.identifier)?.add(claim.round);
  }
  for (const [identifier, { size }] of rounds) expect(size, `claims of ${identifier}`).toBeGreaterThan(0);
  return rounds;
}

async function auditRound({ store, tracker }: Backends, round: string): Promise<void> {
  const candidates = await keysBelow(store, keys.candidatesOf(round));
  expect(candidates).toHaveLength(1);
  expect(await keysBelow(store, keys.decisionsAbout(round))).toHaveLength(1);
  const ref = { bucket, key: candidates[0] ?? "" };
  const { run_id, model_type, manifest_sha256 } = (await readDocument(
    store,
    ref,
    candidate,
    "POINTER_INVALID",
  ))!.document;
  await fetchArtifact(tracker, { runId: run_id ?? "", family: model_type, manifestSha256: manifest_sha256 });
}

/** The station's history is linear, and its head is the end of it. */
export async function auditStation(
  backends: Backends,
  identifier: string,
  epochs: number,
): Promise<readonly Promotion[]> {
  const { store } = backends;
  const expected = Array.from({ length: epochs }, (_, index) => keys.history(identifier, index + 1));
  expect(await keysBelow(store, keys.historyOf(identifier))).toEqual(expected);
  const history: Promotion[] = [];
  for (const [index, key] of expected.entries()) {
    const entry = await promotionAt(backends, key);
    expect(entry).toMatchObject({
      epoch: index + 1,
      model_type: "LINEAR",
      previous_epoch: index === 0 ? null : index,
    });
    history.push(entry!);
  }
  expect(await headOf(backends, identifier)).toEqual(history.at(-1));
  if (identifier === "") expect(await promotionAt(backends, keys.rootHead)).toEqual(history.at(-1));
  return history;
}

/** Every promotion was announced, perhaps more than once, and nothing else was. */
async function auditEvents(
  { log }: Backends,
  identifiers: readonly string[],
  promotions: readonly Promotion[],
): Promise<void> {
  const announced = new Map<string, Promotion>();
  for await (const { value } of log.browse(modelSelected.name)) {
    const event = modelSelected.schema.safeParse(parseJson(value)).data;
    if (event !== undefined && identifiers.includes(event.identifier))
      announced.set(event.promotion_id, event);
  }
  expect(announced).toEqual(new Map(promotions.map((made) => [made.promotion_id, made])));
}

/** A dead letter shows its message, and that its station. */
async function expectNoLetters({ log }: Backends, identifiers: readonly string[]): Promise<void> {
  for (const { name } of pipelineTopics(1).filter((topic) => topic.name.startsWith("DLQ-")))
    for await (const { value } of log.browse(name))
      for (const identifier of identifiers)
        expect(Buffer.from(value).toString(), `a dead letter on ${name}`).not.toContain(identifier);
}

/** No run is left open, and only the promoted ones are finished. */
async function auditRuns(
  { tracker }: Backends,
  identifiers: readonly string[],
  promotions: readonly Promotion[],
): Promise<void> {
  const promoted = new Set(promotions.map(({ run_id }) => run_id));
  for (const { runId, status, tags } of await tracker.findRuns(null, {}))
    if (identifiers.includes(tags["identifier"] ?? ""))
      expect({ runId, status }).toEqual({ runId, status: promoted.has(runId) ? "FINISHED" : "KILLED" });
}

export const headOf = (backends: Backends, identifier: string): Promise<Promotion | null> =>
  promotionAt(backends, keys.head(identifier));

async function promotionAt({ store }: Backends, key: string): Promise<Promotion | null> {
  return (await readDocument(store, { bucket, key }, promotion, "POINTER_INVALID"))?.document ?? null;
}

export async function keysBelow(store: Backends["store"], prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(bucket, prefix)) found.push(key);
  return found;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
