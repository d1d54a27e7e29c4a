import type { Clock } from "@flts/common/ports/clock";
import type { Random } from "@flts/common/ports/random";
import { faultOf } from "./s3-errors.ts";

export interface Persistence {
  readonly clock: Clock;
  readonly random: Random;
}

export interface Request<Output> {
  /** What error messages say about the object. */
  readonly subject: string;
  send(): Promise<Output>;
  /**
   * Decides what a refusal means that comes after an attempt whose answer was lost: what the store refuses may be what that attempt has done
   * already. For requests that may be repeated safely there is nothing to decide.
   */
  afterLostAnswer?(refusal: unknown): Promise<Output>;
}

const attempts = 4;
const firstWaitMs = 100;
const growth = 4;

/**
 * Sends a request again, up to three times within two seconds, where it failed for a passing reason. Longer outages are the caller's, who
 * knows what else can be done meanwhile.
 * @throws the last failure, in the store's terms
 */
export async function persist<Output>(
  request: Request<Output>,
  { clock, random }: Persistence,
): Promise<Output> {
  let answerLost = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request.send();
    } catch (caught) {
      const { error, passing, perhapsDone } = faultOf(caught, request.subject);
      if (!passing && answerLost && request.afterLostAnswer) return request.afterLostAnswer(error);
      if (!passing || attempt === attempts) throw error;
      answerLost ||= perhapsDone;
      await clock.sleep(firstWaitMs * growth ** (attempt - 1) * (0.5 + random.next() / 2));
    }
  }
}
