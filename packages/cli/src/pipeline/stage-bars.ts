import { progressBar, sparkline } from "../terminal/bars.ts";
import { duration, significant } from "../terminal/numbers.ts";
import { pad, type Style } from "../terminal/style.ts";
import { type FamilyProgress, type Progress, secondsOf } from "./progress.ts";

const NAME_WIDTH = 14;
const BAR_WIDTH = 24;
const CURVE_WIDTH = 20;

/** How far the pipeline has come: one line per stage, trainings with bar and loss curve. */
export function stageBars(progress: Progress, nowMs: number, style: Style): string[] {
  const { preprocess, evaluation, serving } = progress;
  const row = (name: string, state: State, fraction: number, detail: string): string =>
    `${mark(state, style)} ${pad(name, NAME_WIDTH)} ${bar(state, fraction, style)}  ${detail}`;
  return [
    row("preprocess", preprocess.state, isOver(preprocess.state) ? 1 : 0, preprocessDetail(progress)),
    ...[...progress.families].map(([family, one]) =>
      row(`train ${family}`, one.state, one.fraction, trainingDetail(one, nowMs, style)),
    ),
    row("eval", evaluation.state, isOver(evaluation.state) ? 1 : 0, evaluation.verdict ?? ""),
    row(
      "inference",
      serving === null ? "waiting" : "done",
      serving === null ? 0 : 1,
      serving === null ? "" : `serves ${serving.family}, epoch ${serving.epoch}`,
    ),
  ];
}

type State = "waiting" | "running" | "done" | "cached" | "failed";

const isOver = (state: State): boolean => state === "done" || state === "cached";

function mark(state: State, style: Style): string {
  const marks = {
    waiting: style.faint("·"),
    running: style.actual("▸"),
    done: style.good("✓"),
    cached: style.good("="),
    failed: style.bad("✗"),
  };
  return marks[state];
}

function bar(state: State, fraction: number, style: Style): string {
  const drawn = progressBar(fraction, BAR_WIDTH);
  if (state === "failed") return style.bad(drawn);
  return isOver(state) ? style.good(drawn) : style.actual(drawn);
}

function preprocessDetail({ preprocess }: Progress): string {
  const { state, rows, columnNames } = preprocess;
  if (state === "cached") return "skip_idempotent: done before";
  if (rows === undefined) return "";
  const size = `${rows.train} + ${rows.test} rows, ${columnNames?.length ?? 0} columns`;
  return state === "done" ? `${size} in ${duration(secondsOf(preprocess))}` : size;
}

function trainingDetail(family: FamilyProgress, nowMs: number, style: Style): string {
  const { state, epoch, epochs, losses, stopLosses, reason } = family;
  switch (state) {
    case "waiting":
      return "";
    case "cached":
      return "trained before";
    case "failed":
      return style.bad(reason ?? "failed");
    case "running":
    case "done": {
      const seconds = secondsOf(state === "done" ? family : { begunMs: family.begunMs, endedMs: nowMs });
      const loss = stopLosses.at(-1) ?? losses.at(-1);
      const parts = [
        epoch === undefined ? "" : `epoch ${epoch}${epochs === undefined ? "" : `/${epochs}`}`,
        loss === undefined ? "" : `loss ${significant(loss, 3)}`,
        style.forecast(sparkline(stopLosses.length > 1 ? stopLosses : losses, CURVE_WIDTH)),
        style.faint(duration(seconds)),
      ];
      return parts.filter((part) => part !== "").join("  ");
    }
  }
}
