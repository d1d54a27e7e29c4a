import { stationOf } from "@flts/common/contracts/identity";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { Champion } from "../model/model-slot.ts";
import type { ForecastAnswer } from "./forecast-path.ts";

/**
 * The JSON of `POST /predict`'s answer: the reference's fields (behaviour §7.3), and what they leave open. Written by hand, because every request is answered with
 * the same names: `predictions` has `ts`, every input column (null where it is not forecast), and the interval of each target as `<target>_lower` and `_upper`.
 */
export function writeAnswer({ champion, mode, reqId, forecast, imputed, held }: ForecastAnswer): string {
  const { head, step } = templateOf(champion);
  const { timesMs, values, lower, upper } = forecast;
  const width = champion.model.targets.length;
  let predictions = "";
  for (let row = 0; row < timesMs.length; row++) {
    predictions += `${row === 0 ? "" : ","}{"ts":"${formatTimestamp(timesMs[row]!, "T")}"`;
    for (const { text, target, series } of step) {
      const value = { values, lower, upper }[series][row * width + target];
      predictions += target < 0 ? text : `${text}${value}`;
    }
    predictions += "}";
  }
  const lists = `"held_at_last_value":${held.length === 0 ? "[]" : JSON.stringify(held)},"predictions":[${predictions}]`;
  return `${head}"mode":"${mode}","req_id":"${reqId}","cached":false,"imputed":${imputed},${lists}}`;
}

/** The same answer, from the response cache and with an id of its own. */
export const asCached = (answer: string, reqId: string): string =>
  answer
    .replace('"status":"SUCCESS"', '"status":"SUCCESS_CACHED"')
    .replace(/"req_id":"[^"]*","cached":false/, `"req_id":"${reqId}","cached":true`);

interface Template {
  /** The fields that all answers of a champion share. */
  readonly head: string;
  readonly step: readonly Piece[];
}

/** A piece of one step's JSON: its text and, where `target` is not negative, that target's number after it. */
interface Piece {
  readonly text: string;
  readonly target: number;
  readonly series: "values" | "lower" | "upper";
}

const templates = new WeakMap<Champion["model"], Template>();

function templateOf({ promotion, model }: Champion): Template {
  const known = templates.get(model);
  if (known !== undefined) return known;
  const { identifier, run_id, model_type, config_hash, epoch, version } = promotion;
  const head = JSON.stringify({
    status: "SUCCESS",
    identifier: stationOf(identifier),
    run_id,
    model_type,
    config_hash,
    epoch,
    // Promotions of earlier releases carry no version.
    model_version: version ?? String(epoch),
  });
  const columns = model.inputColumns.map((column): Piece => {
    const target = model.targets.indexOf(column);
    const text = `,${JSON.stringify(column)}:`;
    return { text: target < 0 ? `${text}null` : text, target, series: "values" };
  });
  const bounds = model.targets.flatMap((name, target): Piece[] => [
    { text: `,${JSON.stringify(`${name}_lower`)}:`, target, series: "lower" },
    { text: `,${JSON.stringify(`${name}_upper`)}:`, target, series: "upper" },
  ]);
  const made = { head: `${head.slice(0, -1)},`, step: [...columns, ...bounds] };
  templates.set(model, made);
  return made;
}
