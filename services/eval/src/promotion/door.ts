import { FltsError } from "@flts/common/contracts/errors";
import { modelSelected } from "@flts/common/contracts/events";
import { stationOf } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import { type Emission, emit } from "@flts/common/contracts/topic";
import type { Random } from "@flts/common/ports/random";
import { type AdoptionDeps, adoptPointers } from "./adoption.ts";
import { gateObjections } from "./books.ts";
import { objectionsTo } from "./feature-schema.ts";
import { inspectRun } from "./inspect-run.ts";
import type { Ledger } from "./ledger.ts";
import { type ByHand, promotionByHand } from "./promotion-of.ts";
import { traitsOf } from "./version.ts";
import { versionFor } from "./version-for.ts";

/** The one door through which people promote: the API and the command line both go through it. */
export interface Door {
  /**
   * Makes a run the champion. Its artifacts must be whole and the station's own; what else speaks against it is refused unless forced, and recorded when it is.
   * @throws RUN_MISSING, ARTIFACT_INVALID, MODEL_UNKNOWN, PROMOTION_REFUSED; TRACKER_UNAVAILABLE, STORE_UNAVAILABLE, LOG_UNAVAILABLE
   */
  promote(order: PromoteOrder): Promise<Passage>;
  /**
   * Makes the model of an earlier epoch the champion again, as the next epoch. Without one: the model before the present one, and a step further back each time.
   * @throws as `promote`; PROMOTION_REFUSED also when there is nothing to go back to
   */
  rollback(order: RollbackOrder): Promise<Passage>;
}

interface Order {
  readonly identifier: string;
  readonly reason: string;
  readonly actor: string;
  readonly force: boolean;
}

export interface PromoteOrder extends Order {
  readonly runId: string;
}

export interface RollbackOrder extends Order {
  readonly toEpoch: number | null;
}

export interface Passage {
  readonly promotion: Promotion;
  /** False when it was the champion already: no epoch was made. */
  readonly changed: boolean;
}

export interface DoorDeps extends AdoptionDeps {
  readonly random: Random;
  /** Resolves when the events are durable. */
  readonly publish: (emissions: readonly Emission[]) => Promise<void>;
}

export function createDoor(deps: DoorDeps): Door {
  const { ledger, clock, random, log } = deps;

  async function pass(
    order: Order,
    target: Pick<PromoteOrder, "runId"> & { readonly entry: Promotion | null },
  ): Promise<Passage> {
    for (;;) {
      const champion = await ledger.head(order.identifier);
      if (champion !== null && champion.run_id === target.runId)
        return announce({ promotion: champion, changed: false });
      const inspected = await inspectRun(
        {
          runId: target.runId,
          identifier: order.identifier,
          family: target.entry?.model_type ?? null,
          manifestSha256: target.entry?.manifest_sha256 ?? null,
        },
        deps,
      );
      const overridden = [
        ...(await objectionsTo(inspected, champion, deps)),
        ...(target.entry === null ? await gateObjections(inspected, deps) : []),
      ];
      if (overridden.length > 0 && !order.force)
        throw new FltsError("PROMOTION_REFUSED", `${overridden.join("; ")} (force it if you must)`);
      const byHand: ByHand = {
        promotion_id: `manual:${random.hex(16)}`,
        timestamp: new Date(clock.now()).toISOString(),
        reason: order.reason,
        actor: order.actor,
        ...(order.force ? { overridden } : {}),
        ...(target.entry === null ? {} : { restored_epoch: target.entry.epoch }),
      };
      const version = await versionFor(target.runId, traitsOf(inspected.manifest), champion, ledger);
      const promotion = await ledger.append(promotionByHand(inspected, champion, version, byHand));
      if (promotion !== null) return announce({ promotion, changed: true });
      log.info("promotion_conflict", { identifier: order.identifier, epoch: (champion?.epoch ?? 0) + 1 });
    }
  }

  /** Also when nothing changed: whoever asks twice may do so because the first event was lost. */
  async function announce(passage: Passage): Promise<Passage> {
    await deps.publish([emit(modelSelected, passage.promotion)]);
    return passage;
  }

  /** Tells the log of an order, however it ended. */
  async function recorded(
    order: Order,
    what: Readonly<Record<string, unknown>>,
    work: () => Promise<Passage>,
  ): Promise<Passage> {
    const asked = { identifier: order.identifier, actor: order.actor, reason: order.reason, ...what };
    try {
      // A pointer that was laid before came first.
      const adopted = await adoptPointers(order.identifier, deps);
      if (adopted.length > 0) await deps.publish(adopted.map((one) => emit(modelSelected, one)));
      const passage = await work();
      const { epoch, run_id, model_type, version, overridden } = passage.promotion;
      log.info("promotion_manual", {
        ...asked,
        changed: passage.changed,
        epoch,
        run_id,
        model_type,
        version,
        overridden: passage.changed ? overridden : null,
      });
      return passage;
    } catch (error) {
      log.error("promotion_refused", error, asked);
      throw error;
    }
  }

  return {
    promote: (order) =>
      recorded(order, { run_id: order.runId, force: order.force }, () =>
        pass(order, { runId: order.runId, entry: null }),
      ),
    rollback: (order) =>
      recorded(order, { to_epoch: order.toEpoch, force: order.force }, async () => {
        const entry = await targetOf(order, ledger);
        return pass(order, { runId: entry.run_id, entry });
      }),
  };
}

/** The entry of the history that a rollback goes back to. */
async function targetOf({ identifier, toEpoch }: RollbackOrder, ledger: Ledger): Promise<Promotion> {
  const champion = await ledger.head(identifier);
  const station = stationOf(identifier);
  if (champion === null)
    throw new FltsError(
      "PROMOTION_REFUSED",
      `station ${station} has no champion: there is nothing to roll back`,
    );
  if (toEpoch !== null) {
    const entry = await ledger.entry(identifier, toEpoch);
    if (entry === null)
      throw new FltsError(
        "PROMOTION_REFUSED",
        `station ${station} has no epoch ${toEpoch}: its last one is ${champion.epoch}`,
      );
    return entry;
  }
  for (let epoch = before(champion); epoch !== null; ) {
    const entry = await ledger.entry(identifier, epoch);
    if (entry === null) break;
    if (entry.run_id !== champion.run_id) return entry;
    epoch = before(entry);
  }
  throw new FltsError(
    "PROMOTION_REFUSED",
    `station ${station} has had no other model before the one of epoch ${champion.epoch}: there is nothing to roll back to`,
  );
}

/** The epoch before a promotion, as people count: before the one that a rollback went back to. */
const before = ({ epoch, restored_epoch, previous_epoch }: Promotion): number | null =>
  restored_epoch === undefined
    ? previous_epoch
    : restored_epoch > 1
      ? Math.min(restored_epoch, epoch) - 1
      : null;
