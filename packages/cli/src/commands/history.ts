import { stationOf } from "@flts/common/contracts/identity";
import { shortId } from "../pipeline/narrate.ts";
import { shortTime } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";
import type { PromotionDesk } from "./promotion-desk.ts";

/** `flts history`: the promotions of a station, the latest first, with who decided and why. */
export async function history(
  desk: PromotionDesk,
  { identifier, limit }: { readonly identifier: string; readonly limit: number },
  output: Output,
): Promise<void> {
  const promotions = await desk.promotions(identifier, limit);
  if (promotions.length === 0) output.say(`Station ${stationOf(identifier)} has had no champion yet.`);
  else
    output.say(
      ...renderTable(
        [
          { title: "epoch", align: "right" },
          { title: "version" },
          { title: "model" },
          { title: "run" },
          { title: "verdict" },
          { title: "by" },
          { title: "at" },
          { title: "why" },
        ],
        promotions.map((one) => [
          String(one.epoch),
          one.version ?? "–",
          one.model_type,
          shortId(one.run_id),
          one.source === "gate" ? one.verdict : `${one.verdict}${one.overridden ? " (forced)" : ""}`,
          one.source === "gate" ? "the gate" : (one.actor ?? "a pointer"),
          shortTime(one.timestamp),
          one.reason ?? "–",
        ]),
        output.style,
      ),
    );
  output.result({ identifier, promotions });
}
