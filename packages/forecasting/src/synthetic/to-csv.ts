import { rowCount, type Table } from "../table/table.ts";
import { formatTimestamp } from "../table/timestamp.ts";

/** A table as the text of a station file: `time` first, numbers as they read back exactly, missing cells empty. */
export function toCsv(table: Table): string {
  const lines = [["time", ...table.columns].join(",")];
  for (let row = 0; row < rowCount(table); row++) {
    let line = formatTimestamp(table.timesMs[row]!);
    for (const column of table.values) line += Number.isNaN(column[row]!) ? "," : `,${column[row]!}`;
    lines.push(line);
  }
  return `${lines.join("\n")}\n`;
}
