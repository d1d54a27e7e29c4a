import type { Backends } from "@flts/backends/connect";
import { FltsError } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import { shortId } from "../pipeline/narrate.ts";
import { count, fixed, shortTime, significant } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { type Lineage, traceRun } from "./lineage.ts";
import { findPrediction, type LoggedPrediction } from "./logged-prediction.ts";

/** `flts explain`: the chain from a dataset's bytes to a model, its promotions and, for a forecast, the replica that answered. */
export async function explain(id: string, backends: Backends, output: Output): Promise<void> {
  const isRun = (await backends.tracker.getRun(id)) !== null;
  const prediction = isRun ? null : await findPrediction(id, backends.store);
  if (!isRun && prediction === null)
    throw new FltsError(
      "RUN_MISSING",
      `${id} is neither a run nor a forecast in the logs: a forecast that was not logged has its run_id and epoch in its answer`,
    );
  const lineage = await traceRun(prediction?.runId ?? id, backends);
  output.say(...linesOf(lineage, prediction, output));
  output.result({ ...lineage, prediction });
}

function linesOf(
  lineage: Lineage,
  prediction: LoggedPrediction | null,
  { style }: Output,
): readonly string[] {
  const link = (name: string, ...texts: readonly string[]): readonly string[] =>
    texts.map((text, index) => `${style.strong((index === 0 ? name : "").padEnd(10))} ${text}`);
  const { dataset, preprocessing, table, claims, training, decisions, promotions } = lineage;
  return [
    ...link(
      "dataset",
      ...dataset.files.map(({ object, sha256 }) => `${object} sha256 ${sha256 ?? style.bad("(gone)")}`),
      dataset.proven
        ? "these files are the ones it was made from"
        : style.bad("the files of that name are other ones now, or gone"),
    ),
    ...link("settings", `config_hash ${preprocessing.configHash}`, preprocessing.config ?? "not known"),
    ...link(
      "table",
      `${table.object} sha256 ${table.sha256} (${table.state === "whole" ? "whole" : style.bad(table.state)})`,
    ),
    ...link(
      "claim",
      `round ${lineage.round}`,
      claims.length === 0
        ? "no longer in the log"
        : claims
            .map(({ partition, offset }) => `training-data, partition ${partition}, offset ${offset}`)
            .join("; "),
    ),
    ...link(
      "training",
      `${lineage.model}, work key ${training.workKey}, code ${training.codeVersion}`,
      JSON.stringify(training.settings),
    ),
    ...link(
      "run",
      `${lineage.runId}${training.isResult ? "" : style.bad(" (not the result of its work)")}`,
      `manifest sha256 ${lineage.manifestSha256}, every file has its digest`,
    ),
    ...link("gate", ...(decisions.length === 0 ? ["not asked yet"] : decisions.map(decisionLine))),
    ...link(
      "epochs",
      ...(promotions.length === 0
        ? ["never promoted"]
        : promotions.map(
            (one) =>
              `epoch ${one.epoch} of station ${stationOf(one.identifier)} at ${shortTime(one.timestamp)}: ${one.source === "gate" ? "the gate" : (one.actor ?? "a pointer")}, ${one.reason ?? "–"}`,
          )),
    ),
    ...(prediction === null ? [] : link("answer", ...answerLines(prediction, lineage, style))),
  ];
}

const decisionLine = (one: Lineage["decisions"][number]): string =>
  `decision ${shortId(one.decisionId)}, attempt ${one.attempt}, gate ${one.gate}, ${count(one.rows)} rows: score ${significant(one.score, 4)}, skill ${fixed(one.skill, 3)}, itself ${one.ownVerdict ?? "–"}; ${one.verdict}: ${one.reason}`;

function answerLines(
  { id, identifier, epoch, replica, timestamp, object }: LoggedPrediction,
  { promotions }: Lineage,
  style: Output["style"],
): readonly string[] {
  const isKept = promotions.some((one) => one.epoch === epoch);
  return [
    `${id} by replica ${replica ?? "(not logged)"} for station ${stationOf(identifier)} at ${shortTime(timestamp)}, epoch ${epoch}${isKept ? "" : style.bad(", which promoted another run")}`,
    `logged in ${object}`,
  ];
}
