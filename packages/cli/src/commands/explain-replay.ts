import { FltsError } from "@flts/common/contracts/errors";
import { type ReplayDeps, replayEpoch } from "@flts/eval/round/replay";
import { significant } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";
import { comparisonLines } from "./gate.ts";

/**
 * `flts explain --replay`: the decision behind an epoch, taken again from what is stored.
 * @throws PROMOTION_REFUSED when it came out otherwise, after showing how
 */
export async function explainReplay(
  deps: ReplayDeps,
  { identifier, epoch }: { readonly identifier: string; readonly epoch: number },
  output: Output,
): Promise<void> {
  const { promotion, decision, again, differences } = await replayEpoch(identifier, epoch, deps);
  const same = differences.length === 0;
  output.say(
    output.style.strong(`Epoch ${epoch}: ${decision.verdict}, ${decision.reason}`),
    ...renderTable(
      [
        { title: "model" },
        { title: "score then", align: "right" },
        { title: "score now", align: "right" },
        { title: "verdict then" },
        { title: "verdict now" },
      ],
      decision.scoreboard.map((row) => {
        const now = again.scoreboard.find(({ run_id }) => run_id === row.run_id);
        return [
          row.model_type,
          significant(row.score, 6),
          significant(now?.score ?? Number.NaN, 6),
          row.verdict ?? "–",
          now?.verdict ?? "–",
        ];
      }),
      output.style,
    ),
    ...comparisonLines({ persistence: again.versus_persistence, "the champion": again.versus_champion }),
    same
      ? `Taken again from ${again.rows} stored rows it came out the same, to the last digit.`
      : output.style.bad(`Taken again it came out otherwise: ${differences.join("; ")}`),
  );
  output.result({ identifier, epoch, same, differences, promotion, decision, again });
  if (!same) throw new FltsError("PROMOTION_REFUSED", `epoch ${epoch} does not follow from what is stored`);
}
