import { readDocument } from "@flts/common/claim-check/documents";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import { describeRef, type ObjectStore } from "@flts/common/ports/object-store";

/** The promotions of one station, as a replica may believe them. */
export interface Promotions {
  /**
   * The promotion that the head names, with the head's ETag; null when there is no head.
   * @throws POINTER_INVALID for a head that a person laid, of whatever form: it counts when eval has adopted it, and not before
   */
  head(): Promise<{ readonly promotion: Promotion; readonly etag: string } | null>;
  /** The latest promotion of the history: the champion while something else lies in the head's place. Null before the first. */
  last(): Promise<Promotion | null>;
  /** Those before it, the latest first. */
  before(promotion: Promotion): AsyncIterable<Promotion>;
}

export function readPromotions(store: ObjectStore, bucket: string, identifier: string): Promotions {
  const read = (key: string) => readDocument(store, { bucket, key }, promotionSchema, "POINTER_INVALID");
  const headKey = keys.head(identifier);

  /** The entry of an epoch; null also for one that is no promotion. */
  async function entry(epoch: number): Promise<Promotion | null> {
    try {
      return (await read(keys.history(identifier, epoch)))?.document ?? null;
    } catch (error) {
      if (hasCode(error, "POINTER_INVALID")) return null;
      throw error;
    }
  }

  return {
    async head() {
      const stored = await read(headKey);
      if (stored === null) return null;
      const { document: promotion, etag } = stored;
      const original = await entry(promotion.epoch);
      if (
        stationOf(promotion.identifier) !== stationOf(identifier) ||
        original?.promotion_id !== promotion.promotion_id
      )
        throw new FltsError(
          "POINTER_INVALID",
          `laid by hand, and not adopted: the history has no such promotion: ${describeRef({ bucket, key: headKey })}`,
        );
      return { promotion: original, etag };
    },
    async last() {
      let last = 0;
      for await (const { key } of store.list(bucket, keys.historyOf(identifier)))
        last = Number(/(\d+)\.json$/.exec(key)?.[1] ?? last);
      return last === 0 ? null : entry(last);
    },
    async *before({ epoch }) {
      for (let earlier = epoch - 1; earlier > 0; earlier--) {
        const promotion = await entry(earlier);
        if (promotion !== null) yield promotion;
      }
    },
  };
}
