import { readDocument } from "@flts/common/claim-check/documents";
import { keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { expect } from "vitest";
import { bucket } from "./builders.ts";

/** What the store says of a station's promotions, read without the ledger. */

const read = async (store: ObjectStore, key: string): Promise<Promotion | null> =>
  (await readDocument(store, { bucket, key }, promotion, "POINTER_INVALID"))?.document ?? null;

export const headOf = (store: ObjectStore, identifier = ""): Promise<Promotion | null> =>
  read(store, keys.head(identifier));

export const rootCopyOf = (store: ObjectStore): Promise<Promotion | null> => read(store, keys.rootHead);

export async function historyOf(store: ObjectStore, identifier = ""): Promise<readonly Promotion[]> {
  const history: Promotion[] = [];
  for await (const { key } of store.list(bucket, keys.historyOf(identifier))) {
    const entry = await read(store, key);
    expect(key).toBe(keys.history(identifier, entry?.epoch ?? 0));
    if (entry !== null) history.push(entry);
  }
  return history;
}

/** P3: epochs rise without gaps, each entry names the one it replaced, nothing is promoted twice, and the head is the last entry. */
export async function expectLinear(
  store: ObjectStore,
  identifier = "",
  { repeats = false } = {},
): Promise<void> {
  const history = await historyOf(store, identifier);
  expect(history.map(({ epoch }) => epoch)).toEqual(history.map((_, index) => index + 1));
  expect(history.map(({ previous_epoch }) => previous_epoch)).toEqual(
    history.map((_, index) => index || null),
  );
  expect(new Set(history.map(({ promotion_id }) => promotion_id)).size).toBe(history.length);
  if (!repeats) expect(new Set(history.map(({ run_id }) => run_id)).size).toBe(history.length);
  expect(await headOf(store, identifier)).toEqual(history.at(-1) ?? null);
  if (identifier === "") expect(await rootCopyOf(store)).toEqual(history.at(-1) ?? null);
}

/** Tells of a head, or a head's copy, that was moved back or anywhere but onward. */
export function watchHeads(store: ObjectStore): {
  readonly store: ObjectStore;
  readonly movedBack: string[];
} {
  const epochs = new Map<string, number>();
  const movedBack: string[] = [];
  return {
    movedBack,
    store: {
      ...store,
      put: async (ref, body, options) => {
        const info = await store.put(ref, body, options);
        if (!ref.key.endsWith("current.json") || !(body instanceof Uint8Array)) return info;
        const { epoch } = promotion.parse(JSON.parse(Buffer.from(body).toString()));
        const before = epochs.get(ref.key) ?? 0;
        if (epoch <= before || (ref.key.includes("/") && epoch !== before + 1))
          movedBack.push(`${ref.key} from ${before} to ${epoch}`);
        epochs.set(ref.key, epoch);
        return info;
      },
    },
  };
}
