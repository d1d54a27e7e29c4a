import { FltsError, hasCode } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import {
  describeRef,
  type ObjectRef,
  type ObjectStore,
  type PutOptions,
} from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";

const writers = 4;
/** A store that checks first and writes later may be lucky once. */
const rounds = 3;

/**
 * Proves that the store keeps conditions, before anything is promoted on it: there are stores that ignore them, and on those two promoters
 * would both win. Writers race for one object that nobody else uses, below `_probes/`, where no station can be.
 * @param bucket one that exists and that the caller may write
 * @throws STORE_UNSAFE when more than one of them wins, or none; the store's own errors
 */
export async function assertConditionalWrites(
  store: ObjectStore,
  bucket: string,
  random: Random,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const ref = { bucket, key: keys.probe(`conditional-writes-${random.hex(16)}`) };
    try {
      const created = await race(store, ref, "If-None-Match: *", { ifNoneMatch: "*" });
      const replaced = await race(store, ref, "If-Match", { ifMatch: created });
      // A replaced version is gone for good, and whoever expects it comes late.
      if (await wins(store, ref, "late", { ifMatch: created }))
        throw unsafe(ref, "If-Match", "a writer won who came after another");
      await store.remove(ref);
      if (await wins(store, ref, "late", { ifMatch: replaced }))
        throw unsafe(ref, "If-Match", "a writer replaced what is absent");
    } finally {
      // What stays behind is one small object, which housekeeping removes.
      await store.remove(ref).catch(() => undefined);
    }
  }
}

/** Lets writers with bytes of their own race. @returns the ETag of the one that won */
async function race(
  store: ObjectStore,
  ref: ObjectRef,
  name: string,
  condition: NonNullable<PutOptions["condition"]>,
): Promise<string> {
  const outcomes = await Promise.all(
    Array.from({ length: writers }, (_, writer) => wins(store, ref, `${name} ${writer}`, condition)),
  );
  const winners = outcomes.filter((etag) => etag !== null);
  const [winner] = winners;
  const present = await store.head(ref);
  if (winners.length !== 1 || winner === undefined || present?.etag !== winner)
    throw unsafe(ref, name, `${winners.length} of ${writers} writers won`);
  return winner;
}

/** The ETag of the version that this write made, or null when its condition did not hold. */
async function wins(
  store: ObjectStore,
  ref: ObjectRef,
  text: string,
  condition: NonNullable<PutOptions["condition"]>,
): Promise<string | null> {
  try {
    return (await store.put(ref, Buffer.from(text), { condition })).etag;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return null;
    throw error;
  }
}

const unsafe = (ref: ObjectRef, name: string, fault: string): FltsError =>
  new FltsError(
    "STORE_UNSAFE",
    `The object store does not keep ${name}: ${fault}. Nothing may be promoted on it: use a store with conditional writes (${describeRef(ref)})`,
  );
