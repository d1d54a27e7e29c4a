import { z } from "zod";
import { encodeDocument } from "../claim-check/documents.ts";
import { FltsError, hasCode } from "../contracts/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { describeRef, type ObjectRef, type ObjectStore, type PutOptions } from "../ports/object-store.ts";
import type { Random } from "../ports/random.ts";

/**
 * A lease: one owner of a piece of work at a time, by an object in the store. It only avoids doing work twice; what must not happen twice is guarded by a
 * conditional write of its own. Its rules, cited by number where they bite:
 *
 * - L1 Every renewal replaces the object by If-Match with bytes that never repeat: on S3 equal bytes have equal ETags. An owner that was overtaken learns
 *   of it at its next renewal.
 * - L2 Another takes a lease once it has seen the same ETag for the lease time on its own monotonic clock. No two machines' clocks are compared.
 * - L3 An owner whose renewals fail for the lease time, counted from the start of the last one that succeeded, gives up by itself. Nobody can have seen
 *   that renewal's ETag before its start, so nobody has taken the lease by then.
 */
export interface Lease {
  /** Aborts with LEASE_LOST when the lease is no longer ours. */
  readonly signal: AbortSignal;
  /** Lets the next one have it at once. One that cannot be told waits for the lease time. */
  release(): Promise<void>;
}

export interface LeaseTerms {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ref: ObjectRef;
  readonly leaseMs: number;
}

export interface Waiting {
  readonly signal: AbortSignal;
  /** Asked before each look: whether the work is done, and the lease no longer wanted. */
  readonly isMoot: () => Promise<boolean>;
  /** Told once, when the lease is found to be somebody else's. */
  readonly onWait: () => void;
}

/** Renewals in a lease time: two in a row may fail. */
const BEATS = 4;

const leaseDocument = z.object({
  owner: z.string(),
  beat: z.number().int(),
  state: z.enum(["held", "released"]),
});
type LeaseDocument = z.infer<typeof leaseDocument>;

/**
 * Waits for the lease; null when it has become moot.
 * @throws the reason of `signal` when that aborts; STORE_UNAVAILABLE
 */
export async function acquireLease(terms: LeaseTerms, waiting: Waiting): Promise<Lease | null> {
  const { clock, random, leaseMs } = terms;
  const mine: LeaseDocument = { owner: random.hex(16), beat: 1, state: "held" };
  let seen = { etag: "", sinceMs: 0 };
  for (;;) {
    waiting.signal.throwIfAborted();
    if (await waiting.isMoot()) return null;
    const present = await look(terms);
    const nowMs = clock.monotonicMs();
    if (present !== null && present.document?.state !== "released") {
      if (seen.etag === "") waiting.onWait();
      if (seen.etag !== present.etag) seen = { etag: present.etag, sinceMs: nowMs };
      const leftMs = seen.sinceMs + leaseMs - nowMs;
      if (leftMs > 0) {
        await clock.sleep(Math.min(leftMs, leaseMs / BEATS), waiting.signal);
        continue; // L2
      }
    }
    const etag = await write(
      terms,
      mine,
      present === null ? { ifNoneMatch: "*" } : { ifMatch: present.etag },
    );
    if (etag !== null) return keep(terms, mine, etag, nowMs);
  }
}

/** Renews the lease until it is released or lost. `startedMs`: when the write that won it began. */
function keep(terms: LeaseTerms, won: LeaseDocument, wonEtag: string, startedMs: number): Lease {
  const { clock, ref, leaseMs } = terms;
  const lost = new AbortController();
  const ended = new AbortController();
  let held = { document: won, etag: wonEtag };
  let renewedMs = startedMs;

  const lose = (how: string): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    lost.abort(new FltsError("LEASE_LOST", `the lease ${how}: ${describeRef(ref)}`));
  };

  const renew = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const document = { ...held.document, beat: held.document.beat + 1 }; // L1
      const beganMs = clock.monotonicMs();
      try {
        const etag = await write(terms, document, { ifMatch: held.etag });
        if (etag !== null) {
          held = { document, etag };
          renewedMs = beganMs;
        } else if (await recognise()) continue;
        else return lose("was taken by another owner");
      } catch {
        // An outage may last as long as L3 lets it.
      }
      await clock.sleep(leaseMs / BEATS, ended.signal);
    }
  };

  /** A renewal whose answer was lost makes the next one conflict with our own. */
  const recognise = async (): Promise<boolean> => {
    const present = await look(terms);
    if (present?.document?.owner !== won.owner) return false;
    held = { document: present.document, etag: present.etag };
    return true;
  };

  const watch = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const leftMs = renewedMs + leaseMs - clock.monotonicMs();
      if (leftMs <= 0) return lose(`could not be renewed for ${leaseMs} ms`); // L3
      await clock.sleep(leftMs, ended.signal);
    }
  };

  void watch();
  const renewing = clock.sleep(leaseMs / BEATS, ended.signal).then(renew);
  return {
    signal: lost.signal,
    async release() {
      ended.abort();
      await renewing;
      if (lost.signal.aborted) return;
      await write(terms, { ...held.document, state: "released" }, { ifMatch: held.etag }).catch(
        () => undefined,
      );
    },
  };
}

interface SeenLease {
  readonly etag: string;
  /** Null for something that is no lease: it is waited out like one. */
  readonly document: LeaseDocument | null;
}

async function look({ store, ref }: LeaseTerms): Promise<SeenLease | null> {
  const stored = await store.get(ref);
  if (stored === null) return null;
  try {
    const document = leaseDocument.parse(JSON.parse(new TextDecoder().decode(stored.bytes)));
    return { etag: stored.etag, document };
  } catch {
    return { etag: stored.etag, document: null };
  }
}

/** The new ETag; null when somebody came between. */
async function write(
  { store, ref }: LeaseTerms,
  document: LeaseDocument,
  condition: NonNullable<PutOptions["condition"]>,
): Promise<string | null> {
  try {
    const { etag } = await store.put(ref, encodeDocument(document), {
      contentType: "application/json",
      condition,
    });
    return etag;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return null;
    throw error;
  }
}
