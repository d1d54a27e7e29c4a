import { type LogLine, numberField, textField } from "../supervisor/log-line.ts";
import { count, duration, significant } from "../terminal/numbers.ts";

/** One plain line for people about what a process logged; null for what only an operator wants to know, and what the process said last. */
export function createNarrator(): (process: string, line: LogLine) => string | null {
  const last = new Map<string, string>();
  return (process, line) => {
    const sentence = tell(line);
    if (sentence === null || last.get(process) === sentence) return null;
    last.set(process, sentence);
    return inColumns(process, sentence);
  };
}

/** What a process is said to do, beneath the others': `train-ensemble` is the longest name where there is one station. */
export const inColumns = (process: string, sentence: string): string => `${process.padEnd(14)} ${sentence}`;

function tell(line: LogLine): string | null {
  const text = (name: string): string => textField(line, name) ?? "?";
  const number = (name: string): number => numberField(line, name) ?? Number.NaN;
  switch (line.event) {
    case "download_start":
      return `reads ${text("train_file")} and ${text("test_file")}`;
    case "pipeline_done":
      return `${tableOf(line)}, round ${shortId(text("round"))}`;
    case "skip_idempotent":
      return `skip_idempotent: done before, ${tableOf(line)}, round ${shortId(text("round"))}`;
    case "success":
      return `done in ${duration(number("duration_ms") / 1000)}`;
    case "train_start":
      return `trains, run ${shortId(text("run_id"))}`;
    case "train_progress":
      return epochLine(line);
    case "train_skip_duplicate":
      return `trained before, run ${shortId(text("run_id"))}`;
    case "train_complete":
      return `trained in ${duration(number("duration_ms") / 1000)}`;
    case "train_error":
      return `failed: ${text("error")}`;
    case "promotion_decision": {
      const winner = textField(line, "model_type");
      const what =
        winner === undefined ? text("verdict") : `${text("verdict")}: ${winner}, epoch ${number("epoch")}`;
      return `${what} (${text("reason")})`;
    }
    case "promotion_model_loaded":
      return `serves ${text("model_type")}, run ${shortId(text("run_id"))}, epoch ${number("epoch")}`;
    case "message_held":
      return `tries again (${text("code")}): ${text("error")}`;
    case "message_dead_lettered":
      return `gave up a message (${text("code")}): ${text("error")}`;
    default:
      return null;
  }
}

function tableOf(line: LogLine): string {
  const { columns } = line.fields;
  const rows = `${count(numberField(line, "train_rows") ?? Number.NaN)} + ${count(numberField(line, "test_rows") ?? Number.NaN)} rows`;
  return Array.isArray(columns) ? `${rows}, ${columns.length} columns` : rows;
}

/** Only the ends of epochs: a line for each per cent would hide everything else. */
function epochLine(line: LogLine): string | null {
  const [epoch, epochs] = [numberField(line, "epoch"), numberField(line, "epochs")];
  const [loss, stopLoss] = [numberField(line, "loss"), numberField(line, "stopLoss")];
  if (epoch === undefined || stopLoss === undefined) return null;
  const of = epochs === undefined ? "" : `/${epochs}`;
  return `epoch ${epoch}${of}, loss ${significant(loss ?? Number.NaN, 4)}, stop loss ${significant(stopLoss, 4)}`;
}

/** Enough of a digest or run id to recognise it. */
export const shortId = (id: string): string => id.slice(0, 8);
