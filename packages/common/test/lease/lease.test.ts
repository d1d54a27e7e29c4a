import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { sha256 } from "../../src/contracts/identity.ts";
import { acquireLease, type Lease, type LeaseTerms } from "../../src/lease/lease.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";

const LEASE_MS = 9_000;
const ref = { bucket: "work", key: "leases/w.json" };
const outage = new FltsError("STORE_UNAVAILABLE", "down");

async function setUp() {
  const clock = createManualClock();
  const store = likeS3(createMemoryStore({ clock }));
  await store.ensureBucket(ref.bucket);
  const random = createSeededRandom(1);
  const termsOf = (port: ObjectStore = store): LeaseTerms => ({
    store: port,
    clock,
    random,
    ref,
    leaseMs: LEASE_MS,
  });
  return { clock, store, termsOf };
}

/** ETags that follow from the bytes, as S3's do: equal bytes, equal ETags. */
function likeS3(store: ObjectStore): ObjectStore {
  const etagOf = async (key: { bucket: string; key: string }): Promise<string | null> => {
    const stored = await store.get(key);
    return stored === null ? null : sha256(stored.bytes);
  };
  return {
    ...store,
    get: async (key) => {
      const stored = await store.get(key);
      return stored && { ...stored, etag: sha256(stored.bytes) };
    },
    put: async (key, body, options = {}) => {
      const { condition } = options;
      if (condition !== undefined && "ifMatch" in condition) {
        const present = await store.get(key);
        if (present === null || (await etagOf(key)) !== condition.ifMatch)
          throw new FltsError("OBJECT_CONFLICT", "another version");
        const { sizeBytes } = await store.put(key, body, { condition: { ifMatch: present.etag } });
        return { etag: (await etagOf(key)) ?? "", sizeBytes };
      }
      const { sizeBytes } = await store.put(key, body, options);
      return { etag: (await etagOf(key)) ?? "", sizeBytes };
    },
  };
}

interface Contender {
  readonly lease: Promise<Lease | null>;
  /** The lease, once it is there. */
  readonly got: () => Lease | null;
  readonly waited: () => number;
  readonly abort: AbortController;
}

function contend(terms: LeaseTerms, isMoot = async () => false): Contender {
  const abort = new AbortController();
  let got: Lease | null = null;
  let waited = 0;
  const lease = acquireLease(terms, { signal: abort.signal, isMoot, onWait: () => (waited += 1) });
  void lease.then(
    (held) => (got = held),
    () => undefined,
  );
  return { lease, got: () => got, waited: () => waited, abort };
}

/** A port that does nothing more from now on, as a dead or frozen process sees it. */
function mortal(store: ObjectStore) {
  let alive = true;
  const port = new Proxy(store, {
    get: (target, name, receiver) => {
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member !== "function"
        ? member
        : (...args: unknown[]) =>
            alive ? (Reflect.apply(member, target, args) as unknown) : new Promise(() => {});
    },
  });
  return { port, die: () => (alive = false) };
}

test("the first one has it, the second waits, and has it as soon as it is released", async () => {
  const { clock, termsOf } = await setUp();
  const first = await contend(termsOf()).lease;
  const second = contend(termsOf());
  await clock.advance(10 * LEASE_MS);
  expect([second.got(), second.waited()]).toEqual([null, 1]);
  expect(first?.signal.aborted).toBe(false);
  await first?.release();
  await clock.advance(LEASE_MS / 4);
  expect(second.got()?.signal.aborted).toBe(false);
  await second.got()?.release();
});

test("a released lease is taken at once, and what is no lease is waited out", async () => {
  const { clock, store, termsOf } = await setUp();
  await (await contend(termsOf()).lease)?.release();
  const again = await contend(termsOf()).lease;
  await again?.release();
  await store.put(ref, Buffer.from("{}"));
  const garbage = contend(termsOf());
  await clock.advance(LEASE_MS - 1);
  expect(garbage.got()).toBeNull();
  await clock.advance(1);
  expect(garbage.got()).not.toBeNull();
});

test("L2: a dead owner's lease is taken when it has not changed for the lease time, and not before", async () => {
  const { clock, store, termsOf } = await setUp();
  const { port, die } = mortal(store);
  await contend(termsOf(port)).lease;
  const second = contend(termsOf());
  await clock.advance(LEASE_MS / 4 + 1); // One renewal, then death.
  die();
  await clock.advance(LEASE_MS - LEASE_MS / 4 - 1);
  expect(second.got()).toBeNull();
  await clock.advance(LEASE_MS / 4 + 1);
  expect(second.got()?.signal.aborted).toBe(false);
});

test("L2: whose clock says what of the day changes nothing", async () => {
  const { clock, termsOf } = await setUp();
  const first = await contend(termsOf()).lease;
  const second = contend(termsOf());
  for (let step = 0; step < 20; step++) {
    clock.setWallClock(step % 2 === 0 ? 0 : Date.UTC(2090, 0, 1));
    await clock.advance(1_000);
  }
  expect([second.got(), first?.signal.aborted]).toEqual([null, false]);
});

test("L3: a frozen owner knows that it has lost the lease before anybody can have taken it", async () => {
  const { clock, store, termsOf } = await setUp();
  const { port, die } = mortal(store);
  const first = await contend(termsOf(port)).lease;
  const second = contend(termsOf());
  await clock.advance(0);
  die();
  await clock.advance(LEASE_MS - 1);
  expect([first?.signal.aborted, second.got()]).toEqual([false, null]);
  await clock.advance(1);
  expect(first?.signal.reason).toMatchObject({ code: "LEASE_LOST" });
  expect(second.got()).not.toBeNull();
});

test("L3: the time of a renewal counts from its start, however late its answer comes", async () => {
  const { clock, store, termsOf } = await setUp();
  const { port, die } = mortal(store);
  const eighth = LEASE_MS / 8;
  const slow: ObjectStore = {
    ...store,
    put: async (...call) => {
      const info = await port.put(...call);
      await clock.sleep(eighth);
      return info;
    },
  };
  const winning = contend(termsOf(slow)).lease;
  await clock.advance(eighth);
  const first = await winning;
  const second = contend(termsOf());
  await clock.advance(3 * eighth); // A renewal began two eighths after the lease was won, and has its answer now.
  die();
  await clock.advance(LEASE_MS - eighth - 1);
  expect([first?.signal.aborted, second.got()]).toEqual([false, null]);
  await clock.advance(1);
  expect(first?.signal.aborted).toBe(true);
});

test("L3: an outage shorter than the lease time costs nothing, a longer one the lease", async () => {
  const { clock, store, termsOf } = await setUp();
  const { port, failNext } = withFaults(store);
  const lease = await contend(termsOf(port)).lease;
  failNext("put", outage, 2);
  await clock.advance(5 * LEASE_MS);
  expect(lease?.signal.aborted).toBe(false);
  failNext("put", outage, 100);
  await clock.advance(LEASE_MS);
  expect(lease?.signal.aborted).toBe(true);
});

test("L1: an owner that was overtaken learns of it at its next renewal, and releases nothing of another's", async () => {
  const { clock, store, termsOf } = await setUp();
  const first = await contend(termsOf()).lease;
  await store.remove(ref);
  const second = await contend(termsOf()).lease;
  await clock.advance(LEASE_MS / 4);
  expect(first?.signal.reason).toMatchObject({ code: "LEASE_LOST" });
  await first?.release();
  await clock.advance(LEASE_MS);
  expect(second?.signal.aborted).toBe(false);
});

test("a renewal whose answer was lost is recognised as our own", async () => {
  const { clock, store, termsOf } = await setUp();
  const { port, loseNextAnswer } = withFaults(store);
  const lease = await contend(termsOf(port)).lease;
  loseNextAnswer("put", outage);
  await clock.advance(10 * LEASE_MS);
  expect(lease?.signal.aborted).toBe(false);
});

test("a lease that has become moot is not waited for", async () => {
  const { clock, termsOf } = await setUp();
  await contend(termsOf()).lease;
  let done = false;
  const second = contend(termsOf(), async () => done);
  await clock.advance(LEASE_MS);
  done = true;
  await clock.advance(LEASE_MS / 4);
  expect(await second.lease).toBeNull();
});

test("who stops waiting waits no more", async () => {
  const { clock, termsOf } = await setUp();
  await contend(termsOf()).lease;
  const second = contend(termsOf());
  await clock.advance(100);
  second.abort.abort(new Error("stopped"));
  await expect(second.lease).rejects.toThrow("stopped");
});
