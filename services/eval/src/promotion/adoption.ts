import { FltsError, hasCode } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import { readPointer } from "@flts/common/contracts/pointer";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { Logger } from "@flts/common/service/logger";
import { lastPromotions } from "./books.ts";
import { objectionsTo } from "./feature-schema.ts";
import { type InspectDeps, type InspectedRun, inspectRun } from "./inspect-run.ts";
import { findLaidPointers, type LaidPointer } from "./laid-pointers.ts";
import type { Ledger } from "./ledger.ts";
import { type PointerNote, readNote, writeNote } from "./pointer-note.ts";
import { promotionByHand } from "./promotion-of.ts";
import { traitsOf } from "./version.ts";
import { versionFor } from "./version-for.ts";

export interface AdoptionDeps extends InspectDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Adopts the pointers that people laid for a station: each becomes the next epoch, if its run is whole and the station's, or is refused and replaced by the head
 * that the history says. Order of its steps: history entry, note, head; so a crash anywhere is finished by the next look, and no pointer becomes two epochs.
 * @returns the promotions made, for their events
 * @throws TRACKER_UNAVAILABLE, STORE_UNAVAILABLE: what cannot be checked now stays as it is
 */
export async function adoptPointers(identifier: string, deps: AdoptionDeps): Promise<readonly Promotion[]> {
  const made: Promotion[] = [];
  for (const pointer of await findLaidPointers(identifier, deps)) {
    const promotion = await adopt(pointer, identifier, deps);
    if (promotion !== null) made.push(promotion);
  }
  return made;
}

async function adopt(
  pointer: LaidPointer,
  identifier: string,
  deps: AdoptionDeps,
): Promise<Promotion | null> {
  const { ledger, log } = deps;
  const note = await readNote(deps.store, deps.promotionBucket, identifier, pointer.digest);
  if (note !== null && pointer.stays) return null;
  try {
    const inspected = await inspectPointer(pointer, identifier, deps);
    const finished = note === null ? await findAdoption(pointer, identifier, ledger) : null;
    const { promotion, isNew } =
      finished === null
        ? await promoteRun(pointer, identifier, inspected, deps)
        : { promotion: finished, isNew: true };
    await writeNote(
      deps.store,
      deps.promotionBucket,
      identifier,
      pointer.digest,
      noteOf(pointer, deps, { outcome: "adopted", epoch: promotion.epoch }),
    );
    await settle(identifier, ledger);
    if (isNew)
      log.warn("promotion_pointer_adopted", {
        object_key: pointer.key,
        run_id: promotion.run_id,
        epoch: promotion.epoch,
        source: promotion.source,
        hint: "promote by 'flts promote' or POST /promote: it answers, and records who did it and why",
      });
    return isNew ? promotion : null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const isNew = await writeNote(
      deps.store,
      deps.promotionBucket,
      identifier,
      pointer.digest,
      noteOf(pointer, deps, { outcome: "refused", code: error.code, reason: error.message }),
    );
    // A head that is laid anew is refused anew; one that cannot be replaced yet was told of already.
    if ((await settle(identifier, ledger)) !== null || isNew)
      log.error("promotion_pointer_refused", error, { object_key: pointer.key });
    return null;
  }
}

/** Moves head and copy over what is settled now. */
async function settle(identifier: string, ledger: Ledger): Promise<Promotion | null> {
  const champion = await ledger.head(identifier);
  if (champion !== null) await ledger.repairCopy(champion);
  return champion;
}

async function inspectPointer(
  { bytes, key }: LaidPointer,
  identifier: string,
  deps: AdoptionDeps,
): Promise<InspectedRun> {
  const reading = readPointer(bytes);
  if (reading.pointer === null)
    throw new FltsError("POINTER_INVALID", `${key} is no pointer: ${reading.reason}`);
  const { runId, modelType, configHash, identifier: named } = reading.pointer;
  if (named !== null && stationOf(named) !== stationOf(identifier) && named !== "global")
    throw new FltsError(
      "PROMOTION_REFUSED",
      `${key} names station ${stationOf(named)}, but lies in the folder of ${stationOf(identifier)}`,
    );
  const inspected = await inspectRun({ runId, identifier, family: modelType, manifestSha256: null }, deps);
  const actual = inspected.manifest.config_hash;
  if (configHash !== null && configHash !== actual)
    throw new FltsError(
      "PROMOTION_REFUSED",
      `${key} says config_hash ${configHash}, run ${runId} was trained with ${actual}`,
    );
  return inspected;
}

async function promoteRun(
  pointer: LaidPointer,
  identifier: string,
  inspected: InspectedRun,
  deps: AdoptionDeps,
): Promise<{ readonly promotion: Promotion; readonly isNew: boolean }> {
  const { ledger, clock } = deps;
  for (;;) {
    const champion = await ledger.head(identifier);
    if (champion !== null && champion.run_id === inspected.run.runId)
      return { promotion: champion, isNew: false };
    const [objection] = await objectionsTo(inspected, champion, deps);
    if (objection !== undefined) throw new FltsError("PROMOTION_REFUSED", objection);
    const promotion = promotionByHand(
      inspected,
      champion,
      await versionFor(inspected.run.runId, traitsOf(inspected.manifest), champion, ledger),
      {
        promotion_id: `pointer:${pointer.digest}:${(champion?.epoch ?? 0) + 1}`,
        timestamp: new Date(clock.now()).toISOString(),
        reason: `a pointer was laid by hand at ${pointer.key}`,
        adopted: { object: pointer.key, sha256: pointer.sha256 },
      },
    );
    const made = await ledger.append(promotion);
    if (made !== null) return { promotion: made, isNew: true };
  }
}

/** The epoch that a pointer became, when whoever adopted it died before the note. */
async function findAdoption(
  { key, sha256 }: LaidPointer,
  identifier: string,
  ledger: Ledger,
): Promise<Promotion | null> {
  const promotions = await lastPromotions(identifier, Number.POSITIVE_INFINITY, ledger);
  return promotions.find(({ adopted }) => adopted?.object === key && adopted.sha256 === sha256) ?? null;
}

function isRefusal(error: unknown): error is FltsError {
  return hasCode(
    error,
    "POINTER_INVALID",
    "PROMOTION_REFUSED",
    "RUN_MISSING",
    "ARTIFACT_INVALID",
    "MODEL_UNKNOWN",
    "TRACKER_REJECTED",
  );
}

const TEXT_BYTES = 4096;

const noteOf = (
  { key, bytes, sha256 }: LaidPointer,
  { clock }: AdoptionDeps,
  outcome: Pick<PointerNote, "outcome" | "epoch" | "code" | "reason">,
): PointerNote => ({
  object: key,
  sha256,
  timestamp: new Date(clock.now()).toISOString(),
  text: new TextDecoder().decode(bytes.subarray(0, TEXT_BYTES)),
  ...outcome,
});
