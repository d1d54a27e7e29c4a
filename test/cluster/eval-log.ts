import { z } from "zod";
import { linesOf, nameOf, podsOf } from "./pods.ts";

/** What eval says of rounds in its log. */

const line = z.looseObject({
  event: z.string(),
  identifier: z.string().optional(),
  round: z.string().optional(),
  have: z.array(z.string()).optional(),
});
export type EvalLine = z.infer<typeof line>;

/** The lines of the eval pod that is there now, about one station; none before it has begun. */
export async function evalLinesAbout(station: string): Promise<readonly EvalLine[]> {
  const [pod] = await podsOf("app=eval");
  if (pod === undefined) return [];
  const texts = await linesOf(nameOf(pod)).catch(() => []);
  return texts.map((text) => line.parse(JSON.parse(text))).filter(({ identifier }) => identifier === station);
}

/** Rounds that it has decided, by those lines. */
export const decidedIn = (lines: readonly EvalLine[]): ReadonlySet<string> =>
  new Set(lines.filter(({ event }) => event === "promotion_decision").map(({ round }) => round ?? ""));

/** The families of the round that waits, as far as they have come; none before the first has. */
export const comeIn = (lines: readonly EvalLine[]): readonly string[] =>
  lines.findLast(({ event }) => event === "promotion_waiting_for_models")?.have ?? [];
