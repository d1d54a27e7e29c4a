import type { ObjectStore } from "@flts/common/ports/object-store";

/** What a process feels of its own death: nothing after it is done. */
export class Death extends Error {}

export interface DyingStore {
  readonly store: ObjectStore;
  /** Calls so far. */
  calls(): number;
}

/**
 * A store whose process dies at its n-th call, counted from 1: before the call does anything, or after it has done everything. Which calls
 * a store has is not repeated here: each of its functions is one.
 */
export function createDyingStore(store: ObjectStore, nth: number, moment: "before" | "after"): DyingStore {
  let calls = 0;
  const die = (): never => {
    throw new Death(`died ${moment} call ${nth}`);
  };
  const arrive = (): boolean => {
    calls += 1;
    if (calls > nth) die(); // Whatever still ran in the dead process does nothing more.
    if (calls === nth && moment === "before") die();
    return calls === nth;
  };
  const dying: ObjectStore = {
    ...store,
    put: (...call) => around(() => store.put(...call)),
    get: (...call) => around(() => store.get(...call)),
    head: (...call) => around(() => store.head(...call)),
    remove: (...call) => around(() => store.remove(...call)),
    async *list(...call) {
      const last = arrive();
      yield* store.list(...call);
      if (last) die();
    },
  };
  const around = async <T>(call: () => Promise<T>): Promise<T> => {
    const last = arrive();
    const answer = await call();
    return last ? die() : answer;
  };
  return { store: dying, calls: () => calls };
}
