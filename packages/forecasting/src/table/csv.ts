import { Buffer } from "node:buffer";
import { FltsError } from "@flts/common/contracts/errors";
import { createColumnBuffer } from "./column-buffer.ts";
import { decodeText, endOfRecord, splitRecord } from "./csv-text.ts";
import type { Table } from "./table.ts";
import { formatTimestamp, parseTimestamp } from "./timestamp.ts";

export interface CsvOptions {
  /** Named in every error. */
  readonly file: string;
  /** Keep only the rows whose `District` column has this value. */
  readonly district?: string | undefined;
}

/** Reads one CSV file piece by piece. Rows already taken are forgotten, so that a file of any size can pass through. */
export interface CsvReader {
  /** The next bytes of the file, cut anywhere. @throws CSV_INVALID */
  push(chunk: Uint8Array): void;
  /** The rows read since the last `take`; `undefined` before the header was read. */
  take(): Table | undefined;
  /** The rest, after the last byte. @throws CSV_INVALID, also for a file without a single row */
  finish(): Table;
}

/** A record longer than this is no CSV of measurements; it also bounds memory for a binary file without line ends. */
const MAX_RECORD_BYTES = 1_048_576;
const HOUR_MS = 3_600_000;
const CLOCKS_SET_BACK =
  "sort the rows by time or, where clocks were set back, write the times in UTC or each with its zone (2024-10-27 02:00:00+02:00)";
const TIME = "time";
const DISTRICT = "District";
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
/** What pandas reads as a missing number. */
const MISSING = new Set(
  "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split(
    "|",
  ),
);

interface Header {
  readonly columns: readonly string[];
  readonly width: number;
  readonly timeAt: number;
  readonly districtAt: number;
  /** For each cell of a record the column it belongs to, −1 for `time` and `District`. */
  readonly columnOfCell: Int32Array;
}

/**
 * A streaming reader of station files: a header with `time`, then one record per row, times strictly rising. Decoding is
 * UTF-8 and, where a text is none, Windows-1252. Every bad input ends in one CSV_INVALID that names file, line and column.
 */
export function createCsvReader(options: CsvOptions): CsvReader {
  const { file, district } = options;
  let rest = "";
  let line = 0; // lines completed so far
  let header: Header | undefined;
  let buffer = createColumnBuffer(0);
  let rowsSeen = 0;
  let rowsKept = 0;
  let lastTimeMs = Number.NEGATIVE_INFINITY;
  const districts = new Set<string>();

  const fault = (where: string, what: string) => new FltsError("CSV_INVALID", `${file}${where}: ${what}`);
  const at = (column?: string) => `, line ${line + 1}${column === undefined ? "" : `, column '${column}'`}`;

  function push(chunk: Uint8Array): void {
    // One character per byte: splitting needs ASCII only, and headers are decoded afterwards.
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    rest = readRecords(rest + bytes.toString("latin1"));
    if (rest.length > MAX_RECORD_BYTES) {
      throw fault(at(), `a line of more than ${MAX_RECORD_BYTES} bytes: this is no CSV file of measurements`);
    }
  }

  /** Consumes all complete records of `text` and returns what is left of it. */
  function readRecords(text: string): string {
    let start = 0;
    let quote = text.indexOf('"');
    for (;;) {
      let end = text.indexOf("\n", start);
      if (end < 0) return text.slice(start);
      if (quote >= 0 && quote < start) quote = text.indexOf('"', start);
      const quoted = quote >= 0 && quote < end;
      if (quoted) end = endOfRecord(text, start);
      if (end < 0) return text.slice(start);
      const trimmed = text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end;
      readRecord(text, start, trimmed, quoted);
      line += quoted ? text.slice(start, end).split("\n").length : 1;
      start = end + 1;
    }
  }

  function readRecord(text: string, start: number, end: number, quoted: boolean): void {
    if (header === undefined) return readHeader(text.slice(start, end));
    if (end === start) return; // blank lines are skipped, as pandas does
    if (quoted) return readCells(header, splitRecord(text.slice(start, end)));
    readPlain(header, text, start, end);
  }

  /** The common case: no quotes, every cell read in place. */
  function readPlain(head: Header, text: string, start: number, end: number): void {
    if (head.districtAt >= 0) return readCells(head, text.slice(start, end).split(","));
    const row = buffer.nextRow();
    let cell = 0;
    let from = start;
    while (from <= end) {
      let to = text.indexOf(",", from);
      if (to < 0 || to > end) to = end;
      if (cell === head.timeAt) acceptTime(text.slice(from, to), row);
      else if (cell < head.width) {
        const column = head.columnOfCell[cell]!;
        buffer.set(column, row, to === from ? Number.NaN : parseNumber(text.slice(from, to), column));
      }
      cell++;
      from = to + 1;
    }
    if (cell !== head.width) throw wrongWidth(head, cell);
    rowsSeen++;
    rowsKept++;
    buffer.keepRow();
  }

  function readCells(head: Header, cells: readonly string[]): void {
    if (cells.length !== head.width) throw wrongWidth(head, cells.length);
    rowsSeen++;
    if (head.districtAt >= 0) {
      const name = decodeText(cells[head.districtAt] ?? "");
      if (districts.size < 10) districts.add(name);
      if (district !== undefined && name !== district) return;
    }
    const row = buffer.nextRow();
    for (const [index, cell] of cells.entries()) {
      const column = head.columnOfCell[index]!;
      if (index === head.timeAt) acceptTime(cell, row);
      else if (column >= 0) buffer.set(column, row, cell === "" ? Number.NaN : parseNumber(cell, column));
    }
    rowsKept++;
    buffer.keepRow();
  }

  function acceptTime(text: string, row: number): void {
    const timeMs = parseTimestamp(text);
    if (Number.isNaN(timeMs)) {
      const shown = text.trim() === "" ? "an empty cell" : JSON.stringify(decodeText(text).slice(0, 40));
      throw fault(at(TIME), `${shown} is no date and time; write it as YYYY-MM-DD HH:MM:SS`);
    }
    if (timeMs <= lastTimeMs) {
      const shown = formatTimestamp(timeMs);
      const previous = formatTimestamp(lastTimeMs);
      const what =
        timeMs === lastTimeMs
          ? `${shown} appears twice; keep one row per time stamp`
          : `${shown} comes after ${previous}; ${lastTimeMs - timeMs <= HOUR_MS ? CLOCKS_SET_BACK : "sort the rows by time"}`;
      const hint = districts.size > 1 ? " (the file holds several districts: choose one)" : "";
      throw fault(at(TIME), what + hint);
    }
    lastTimeMs = timeMs;
    buffer.setTime(row, timeMs);
  }

  function parseNumber(text: string, column: number): number {
    const value = Number(text);
    // Number() also takes "0x1f", "  " and "Infinity", which are no measurements.
    if (value - value === 0) {
      const suspicious = value === 0 || text.charCodeAt(1) > 57 || text.charCodeAt(0) <= 32;
      if (!suspicious || NUMBER.test(text)) return value;
    }
    const trimmed = text.trim();
    if (MISSING.has(trimmed)) return Number.NaN;
    const shown = JSON.stringify(decodeText(trimmed).slice(0, 40));
    const name = header?.columns[column];
    throw fault(
      at(name),
      trimmed.includes("\u0000")
        ? "binary data; this is no CSV file"
        : `${shown} is not a finite number; correct the cell or leave it empty`,
    );
  }

  function wrongWidth(head: Header, cells: number): FltsError {
    const relation = cells < head.width ? "short" : "long";
    return fault(
      at(),
      `the row is too ${relation}: ${cells} cells where the header names ${head.width}; give each row one cell per column`,
    );
  }

  function readHeader(raw: string): void {
    if (raw.startsWith("\u00ff\u00fe") || raw.startsWith("\u00fe\u00ff")) {
      throw fault("", "the file is UTF-16; save it as UTF-8");
    }
    if (hasControlCharacter(raw)) throw fault("", "binary data; this is no CSV file");
    const text = raw.startsWith("\u00ef\u00bb\u00bf") ? raw.slice(3) : raw;
    if (text.trim() === "") return; // leading blank lines
    const names = splitRecord(text).map((cell) => decodeText(cell).trim());
    const timeAt = names.indexOf(TIME);
    if (timeAt < 0) {
      const shown = names.join(", ").slice(0, 200);
      throw fault(
        ", line 1",
        `No column labeled 'time'; the header has ${shown}: name the column of the time stamps 'time'`,
      );
    }
    const districtAt = names.indexOf(DISTRICT);
    if (district !== undefined && districtAt < 0) {
      throw fault(", line 1", `No column labeled 'District' to choose '${district}' from`);
    }
    const columns = names.filter((_, index) => index !== timeAt && index !== districtAt);
    for (const [index, name] of names.entries()) {
      if (name === "") throw fault(", line 1", `column ${index + 1} of the header has no name`);
      if (names.indexOf(name) !== index)
        throw fault(", line 1", `column '${name}' appears twice in the header`);
    }
    if (columns.length === 0)
      throw fault(", line 1", "no columns beside 'time'; add at least one of numbers");
    const columnOfCell = Int32Array.from(names, (name) => columns.indexOf(name));
    header = { columns, width: names.length, timeAt, districtAt, columnOfCell };
    buffer = createColumnBuffer(columns.length);
  }

  function take(): Table | undefined {
    return header === undefined ? undefined : { columns: header.columns, ...buffer.take() };
  }

  function finish(): Table {
    if (rest !== "") {
      rest = readRecords(`${rest}\n`);
      if (rest !== "") throw fault(at(), "a quote is opened and never closed");
    }
    const table = take();
    if (table === undefined)
      throw fault("", "the file is empty; give it a header with 'time' and one row per time stamp");
    if (rowsKept === 0) {
      throw rowsSeen === 0
        ? fault("", "a header and no rows; add one row per time stamp")
        : fault("", `no row of district '${district}'; the file has ${[...districts].join(", ")}`);
    }
    return table;
  }

  return { push, take, finish };
}

/** All rows of a file that is in memory. @throws CSV_INVALID */
export function readCsv(bytes: Uint8Array, options: CsvOptions): Table {
  const reader = createCsvReader(options);
  for (let offset = 0; offset < bytes.length; offset += MAX_RECORD_BYTES) {
    reader.push(bytes.subarray(offset, offset + MAX_RECORD_BYTES));
  }
  return reader.finish();
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) return true;
  }
  return false;
}
