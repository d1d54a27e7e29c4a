import { HttpError } from "@flts/common/service/http";
import type { Champion, Loan } from "../model/model-slot.ts";
import type { Admission, Arrival, Job } from "./admission.ts";

/** The one door to a model, whatever route is asked: lets a request in, and lends it a champion for as long as it works. */
export type WithChampion = <T>(
  call: ChampionCall,
  work: (champion: Champion, job: Job) => Promise<T>,
) => Promise<T>;

export interface ChampionCall extends Arrival {
  /** Whose champion shall answer; null for the replica's own station. */
  readonly identifier: string | null;
}

export interface WithChampionDeps {
  /** Borrows a station's champion; null while it has none. */
  readonly borrow: (identifier: string | null) => Loan | null | Promise<Loan | null>;
  readonly admission: Admission;
}

/** Seconds after which a client may ask again for a model that was not there. */
const MODEL_RETRY_SECONDS = 1;

/**
 * The champion is borrowed once, so that an answer can name no other run than the one that it was checked against and computed with.
 * @throws HttpError 404 for a station that nobody knows, 429 and 504 as {@link Admission} says, 503 without a model
 */
export function createWithChampion({ borrow, admission }: WithChampionDeps): WithChampion {
  return (call, work) =>
    admission.run(call, async (job) => {
      const found = borrow(call.identifier);
      const loan = found instanceof Promise ? await found : found;
      if (loan === null)
        throw new HttpError(503, "Model not loaded yet", { "retry-after": String(MODEL_RETRY_SECONDS) });
      try {
        return await work(loan, job);
      } finally {
        loan.giveBack();
      }
    });
}
