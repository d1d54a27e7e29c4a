import { modelSelected } from "../contracts/events.ts";
import { promotion as promotionSchema } from "../contracts/promotion.ts";
import { emit, parseEvent } from "../contracts/topic.ts";
import type { MessageLog } from "../ports/message-log.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Ledgers } from "./reconcile.ts";

/**
 * Every station's head, and the events that told of promotions. An event is a hint, and of an overtaken promotion none is missed: only heads count. One that
 * stays for longer than events are kept is told of again.
 */
export function promotionLedgers({
  store,
  log,
  promotionBucket,
}: {
  readonly store: ObjectStore;
  readonly log: MessageLog;
  readonly promotionBucket: string;
}): Ledgers {
  return {
    async *markers() {
      for await (const { key } of store.list(promotionBucket, "")) {
        if (!HEAD.test(key)) continue;
        const stored = await store.get({ bucket: promotionBucket, key });
        // A pointer that somebody has laid by hand is no promotion yet: eval adopts it.
        const promotion = promotionSchema.safeParse(parseJson(stored?.bytes)).data;
        if (promotion === undefined) continue;
        const { promotion_id: id } = promotion;
        yield { id, emissions: [emit(modelSelected, promotion)], isServed: async () => false };
      }
    },
    async announced() {
      const ids = new Set<string>();
      for await (const { value } of log.browse(modelSelected.name)) ids.add(promotionIdOf(value) ?? "");
      return ids;
    },
  };
}

/** `<station>/current.json`; the one at the root is a copy. */
const HEAD = /^[^/]+\/current\.json$/;

function promotionIdOf(value: Uint8Array): string | undefined {
  try {
    return parseEvent(modelSelected, value).promotion_id;
  } catch {
    return undefined;
  }
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
