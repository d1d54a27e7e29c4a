import { hasCode } from "@flts/common/contracts/errors";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import { abortOf } from "./abort-of.ts";
import type { PeerContext } from "./peer-main.ts";

/** What other processes do to a store in the contract suite. */
export const storeTasks = {
  /** Adds one to the number in an object, `times` times, by compare-and-swap; reports how many swaps were lost on the way. */
  "store/increment": async ({ port, input, report }: PeerContext<ObjectStore>) => {
    const { ref, times } = input as { readonly ref: ObjectRef; readonly times: number };
    let lost = 0;
    for (let done = 0; done < times; done += 1) lost += await incrementPatiently(port, ref);
    report(lost);
  },
  /** Creates an object once every process has reported ready; reports whether it won. */
  "store/create": async ({ port, input, report, signal }: PeerContext<ObjectStore>) => {
    const { ref, text } = input as { readonly ref: ObjectRef; readonly text: string };
    report("ready");
    await abortOf(signal);
    report(await create(port, ref, text));
  },
  /** Increments until it is killed; reports every number that the store has confirmed. */
  "store/increment-on": async ({ port, input, report, signal }: PeerContext<ObjectStore>) => {
    const { ref } = input as { readonly ref: ObjectRef };
    while (!signal.aborted) {
      const number = await increment(port, ref);
      if (number) report(number);
    }
  },
  /** Creates and removes objects until it is killed; reports once it is at work. */
  "store/churn": async ({ port, input, report, signal }: PeerContext<ObjectStore>) => {
    const { bucket, text } = input as { readonly bucket: string; readonly text: string };
    for (let turn = 0; !signal.aborted; turn += 1) {
      const ref = { bucket, key: `churn/${turn % 3}/object` };
      await port.put(ref, Buffer.from(text));
      await port.put(ref, Buffer.from(text.toUpperCase()));
      if (turn > 0) await port.remove({ bucket, key: `churn/${(turn - 1) % 3}/object` });
      if (turn === 3) report("at work");
    }
  },
  /** Sends a body that never ends; reports after the first chunk has been taken. */
  "store/endless-body": async ({ port, input, report }: PeerContext<ObjectStore>) => {
    const { ref } = input as { readonly ref: ObjectRef };
    await port.put(ref, endless(report));
  },
};

/** Adds one to the number in an object, once. @returns the number that is confirmed, or null when another writer was first */
export async function increment(store: ObjectStore, ref: ObjectRef): Promise<number | null> {
  const present = await store.get(ref);
  if (!present) throw new Error(`There is no ${ref.key}`);
  const number = Number(Buffer.from(present.bytes).toString()) + 1;
  try {
    await store.put(ref, Buffer.from(String(number)), { condition: { ifMatch: present.etag } });
    return number;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return null;
    throw error;
  }
}

/** Adds one to the number in an object, however often others are first. @returns how many swaps were lost on the way */
export async function incrementPatiently(store: ObjectStore, ref: ObjectRef): Promise<number> {
  for (let lost = 0; ; lost += 1) {
    if ((await increment(store, ref)) !== null) return lost;
    // Losers that come back at once keep a slow store so busy that winners are rare.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** Math.min(lost, 6)));
  }
}

/** Creates an object. @returns whether this call was the one that created it */
export async function create(store: ObjectStore, ref: ObjectRef, text: string): Promise<boolean> {
  try {
    await store.put(ref, Buffer.from(text), { condition: { ifNoneMatch: "*" } });
    return true;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return false;
    throw error;
  }
}

async function* endless(report: (text: string) => void): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; ; chunk += 1) {
    if (chunk === 1) report("first chunk taken");
    yield new Uint8Array(64 * 1024);
    if (chunk > 16) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
