import type { Uniform } from "../random.ts";

/** A session starts at a step with this probability in an average hour, more often in a busy one. */
const START = 0.016;
/** It ends at a step with this probability: 25 steps on average. */
const END = 0.04;
/** The load of a step approaches that of the session by this share, so that sessions rise and fall within minutes. */
const APPROACH = 0.6;

/**
 * The load by a few heavy users, `[rows]` in 0 … 1: mostly nothing, now and then a session of minutes to an hour.
 * `busy` says per row how busy the hour is (−1 … 1).
 */
export function simulateSessions(uniform: Uniform, busy: Float64Array): Float64Array {
  const load = new Float64Array(busy.length);
  let goal = 0;
  let level = 0;
  for (let row = 0; row < busy.length; row++) {
    if (goal > 0 && uniform() < END) goal = 0;
    else if (uniform() < START * (1 + 0.6 * busy[row]!)) goal = Math.max(goal, 0.2 + 0.8 * uniform());
    const wobble = 0.85 + 0.3 * uniform();
    level += APPROACH * (goal * wobble - level);
    load[row] = Math.min(Math.max(level, 0), 1);
  }
  return load;
}
