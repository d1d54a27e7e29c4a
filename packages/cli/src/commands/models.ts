import { stationOf } from "@flts/common/contracts/identity";
import { shortId } from "../pipeline/narrate.ts";
import { significant } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";
import type { PromotionDesk } from "./promotion-desk.ts";

/** `flts models`: the models that a station has had, by version. */
export async function models(desk: PromotionDesk, identifier: string, output: Output): Promise<void> {
  const found = await desk.models(identifier);
  if (found.length === 0) output.say(`Station ${stationOf(identifier)} has had no model yet.`);
  else
    output.say(
      ...renderTable(
        [
          { title: "version" },
          { title: "model" },
          { title: "run" },
          { title: "score", align: "right" },
          { title: "rmse", align: "right" },
          { title: "epochs" },
          { title: "" },
        ],
        found.map((one) => [
          one.version ?? "–",
          one.model_type,
          shortId(one.run_id),
          significant(one.score, 4),
          significant(one.rmse, 4),
          one.epochs.join(", "),
          one.aliases.join(", "),
        ]),
        output.style,
      ),
    );
  output.result({ identifier, models: found });
}
