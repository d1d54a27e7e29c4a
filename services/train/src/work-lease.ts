import { keys } from "@flts/common/contracts/layout";
import { acquireLease } from "@flts/common/lease/lease";
import type { Logger } from "@flts/common/service/logger";
import { hasCandidate, type Work } from "./candidate.ts";
import type { TrainDeps } from "./train-once.ts";

/**
 * Does something to a work while nobody else does. What it is given aborts when `signal` does or when the lease is lost; one that waits is let in, too, when
 * the work has got its result.
 * @throws LEASE_LOST when the loss broke it off: a fault of nobody's, to be tried again
 */
export async function holdWork<T>(
  work: Work,
  { store, clock, random, promotionBucket, leaseMs }: TrainDeps,
  log: Logger,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(
    { store, clock, random, leaseMs, ref: { bucket: promotionBucket, key: keys.lease(work.workKey) } },
    {
      signal,
      isMoot: () => hasCandidate(store, promotionBucket, work),
      onWait: () => log.info("train_waiting_for_lease"),
    },
  );
  if (lease === null) return act(signal);
  try {
    return await act(AbortSignal.any([signal, lease.signal]));
  } catch (error) {
    if (lease.signal.aborted && !signal.aborted) throw lease.signal.reason;
    throw error;
  } finally {
    await lease.release();
  }
}
