import type { Promotion } from "@flts/common/contracts/promotion";
import type { Logger } from "@flts/common/service/logger";
import type { ServableModel } from "./servable-model.ts";

/** A model with the promotion it is served under: whoever computes with the one names the other. */
export interface Champion {
  readonly promotion: Promotion;
  readonly model: ServableModel;
}

/** A champion that stays open until it is given back. */
export interface Loan extends Champion {
  /** Gives the champion back; once, whatever became of the request. */
  giveBack(): void;
}

/**
 * Holds the model that is served.
 *
 * - S1 There is one reference, and a switch is one assignment: a request that borrows sees the old champion whole or the new one whole.
 * - S2 A champion is closed when it has been replaced and its last loan was given back, never before.
 */
export interface ModelSlot {
  /** Null before the first champion. */
  borrow(): Loan | null;
  current(): Champion | null;
  /** Replaces the champion. The one before it is closed when its requests are done (S2). */
  switchTo(champion: Champion): void;
  /** Takes the champion away; resolves when every model that was ever in the slot is closed. */
  close(): Promise<void>;
}

interface Tenant {
  readonly champion: Champion;
  loans: number;
  retired: boolean;
}

export function createModelSlot(log: Logger): ModelSlot {
  let tenant: Tenant | null = null;
  const closing = new Set<Promise<void>>();

  const replace = (next: Tenant | null): void => {
    const old = tenant;
    tenant = next; // S1
    if (old === null) return;
    old.retired = true;
    closeWhenIdle(old);
  };

  const closeWhenIdle = ({ champion, loans, retired }: Tenant): void => {
    if (!retired || loans > 0) return; // S2
    const { run_id, epoch } = champion.promotion;
    const closed = champion.model
      .close()
      .catch((error: unknown) => log.error("model_close_fail", error, { run_id, epoch }))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };

  return {
    current: () => tenant?.champion ?? null,
    borrow() {
      const held = tenant;
      if (held === null) return null;
      held.loans += 1;
      let given = false;
      return {
        ...held.champion,
        giveBack() {
          if (given) return;
          given = true;
          held.loans -= 1;
          closeWhenIdle(held);
        },
      };
    },
    switchTo: (champion) => replace({ champion, loans: 0, retired: false }),
    async close() {
      replace(null);
      while (closing.size > 0) await Promise.all(closing);
    },
  };
}
