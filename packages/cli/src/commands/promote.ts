import { stationOf } from "@flts/common/contracts/identity";
import type { Passage } from "@flts/eval/promotion/door";
import { shortId } from "../pipeline/narrate.ts";
import type { Output } from "../terminal/output.ts";
import type { DeskOrder, PromotionDesk } from "./promotion-desk.ts";

/** `flts promote`: makes a run the champion of its station. */
export async function promote(
  desk: PromotionDesk,
  order: DeskOrder & { readonly runId: string },
  output: Output,
): Promise<void> {
  show(await desk.promote(order), order, output);
}

/** `flts rollback`: makes the model of an earlier epoch the champion again. */
export async function rollback(
  desk: PromotionDesk,
  order: DeskOrder & { readonly toEpoch: number | null },
  output: Output,
): Promise<void> {
  show(await desk.rollback(order), order, output);
}

function show({ promotion, changed }: Passage, { identifier }: DeskOrder, output: Output): void {
  const { model_type, run_id, epoch, version, overridden = [], restored_epoch } = promotion;
  const model = `${model_type} ${version ?? ""} (run ${shortId(run_id)})`;
  output.say(
    changed
      ? `${model} is the champion of station ${stationOf(identifier)}: epoch ${epoch}${restored_epoch === undefined ? "" : `, back to epoch ${restored_epoch}`}`
      : `${model} is the champion already: no epoch was made, ${epoch} is the present one`,
    ...(changed ? overridden.map((objection) => output.style.bad(`forced: ${objection}`)) : []),
  );
  output.result({ changed, promotion });
}
