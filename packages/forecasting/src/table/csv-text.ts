import { Buffer } from "node:buffer";

/**
 * The cells of one record, quotes resolved as pandas does: a cell that starts with `"` runs to the next single `"`, a doubled
 * one stands for itself, and what follows the closing quote belongs to the cell.
 */
export function splitRecord(record: string): string[] {
  const cells: string[] = [];
  let index = 0;
  for (;;) {
    let cell = "";
    if (record[index] === '"') {
      index++;
      for (;;) {
        const quote = record.indexOf('"', index);
        if (quote < 0) throw new RangeError("splitRecord needs a whole record");
        cell += record.slice(index, quote);
        index = quote + 1;
        if (record[index] !== '"') break;
        cell += '"';
        index++;
      }
    }
    const comma = record.indexOf(",", index);
    cells.push(cell + record.slice(index, comma < 0 ? record.length : comma));
    if (comma < 0) return cells;
    index = comma + 1;
  }
}

/** Where the record from `start` ends: the first line end outside quotes, −1 when there is none yet. */
export function endOfRecord(text: string, start: number): number {
  let atCellStart = true;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === '"' && atCellStart) {
      index = closingQuote(text, index + 1);
      if (index < 0) return -1;
      atCellStart = false;
    } else if (character === "\n") return index;
    else atCellStart = character === ",";
  }
  return -1;
}

function closingQuote(text: string, start: number): number {
  for (let index = start; ; index += 2) {
    index = text.indexOf('"', index);
    if (index < 0 || text[index + 1] !== '"') return index;
  }
}

/** Text of one character per byte as UTF-8 or, where it is none, as Windows-1252 (which covers Latin-1's letters). */
export function decodeText(bytesAsText: string): string {
  const bytes = Buffer.from(bytesAsText, "latin1");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
