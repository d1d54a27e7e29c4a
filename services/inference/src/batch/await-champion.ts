import { FltsError } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import type { Clock } from "@flts/common/ports/clock";
import { HttpError } from "@flts/common/service/http";
import type { Loan } from "../model/model-slot.ts";

/** Borrows a station's champion; null while it has none. */
export type Borrow = (identifier: string | null) => Loan | null | Promise<Loan | null>;

/** So long a message waits at a time: then the shell looks at its deadline, and says that it is held. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 250;

/**
 * A station's champion, as soon as it has one: the claim of a test table comes before the first model is trained.
 * @throws MODEL_MISSING when it has none for a while, the signal's reason when it aborts
 */
export async function awaitChampion(
  identifier: string,
  borrow: Borrow,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Loan> {
  const until = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    const loan = await tryBorrow(identifier, borrow);
    if (loan !== null) return loan;
    if (clock.monotonicMs() >= until)
      throw new FltsError(
        "MODEL_MISSING",
        `station ${stationOf(identifier)} has no promoted model yet that can be loaded: its tables wait, and with them those behind them`,
      );
    await clock.sleep(LOOK_MS, signal);
  }
}

/** A request would be refused where a message waits. */
async function tryBorrow(identifier: string, borrow: Borrow): Promise<Loan | null> {
  try {
    return await borrow(identifier);
  } catch (error) {
    if (error instanceof HttpError) return null;
    throw error;
  }
}
