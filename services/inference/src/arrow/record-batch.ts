import type { ArrowMessage } from "./messages.ts";
import { unreadable } from "./refusal.ts";
import type { ArrowField, ArrowType } from "./schema.ts";

/** Rows of a stream, column by column. */
export interface RecordBatch {
  readonly rows: number;
  /** In the order of the schema. */
  readonly columns: readonly ArrowColumn[];
}

export interface ArrowColumn {
  readonly field: ArrowField;
  /** A bit per row, set where there is a value; null where all are there. */
  readonly validity: Uint8Array | null;
  /** The values of numbers and times; of texts, where each begins and ends. */
  readonly values: ColumnValues;
  /** UTF-8; empty for all but texts. */
  readonly text: Uint8Array;
}

export type ColumnValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * The columns of a record batch, without copying. Every buffer is held to the rows that the batch claims and to the body that is there.
 * @throws HttpError 400
 */
export function readRecordBatch({ header, body }: ArrowMessage, fields: readonly ArrowField[]): RecordBatch {
  if (header.table(3) !== null) throw unreadable("a record batch is compressed: send it as it is");
  const rows = header.int64(0);
  const nodes = header.numbers(1, 2);
  const buffers = header.numbers(2, 2);
  if (!Number.isSafeInteger(rows) || rows < 0) throw unreadable("a record batch has no number of rows");
  if (nodes.length !== fields.length) throw unreadable("a record batch has other columns than the schema");
  let next = 0;

  /** The next buffer, which must have so many bytes at least. */
  const take = (leastBytes: number, name: string): Uint8Array => {
    const [offset = -1, length = -1] = buffers[next++] ?? [];
    if (!(offset >= 0 && length >= 0 && offset + length <= body.length) || length < leastBytes)
      throw unreadable(`column '${name}' has fewer bytes than its ${rows} rows take`);
    return body.subarray(offset, offset + length);
  };

  const columns = fields.map((field, index): ArrowColumn => {
    const [length = -1, nulls = 0] = nodes[index] ?? [];
    const { name, type } = field;
    if (length !== rows) throw unreadable(`column '${name}' has ${length} rows, its batch ${rows}`);
    const bits = take(nulls === 0 ? 0 : Math.ceil(rows / 8), name);
    const validity = nulls === 0 ? null : bits;
    if (type.kind !== "text") {
      const values = numbersIn(take(rows * bytesOf(type), name), type, rows);
      return { field, validity, values, text: NOTHING };
    }
    const ends = rows === 0 ? 0 : rows + 1;
    const offsets = take(ends * type.offsetBytes, name);
    const values = numbersIn(offsets, { kind: "int", bytes: type.offsetBytes, signed: true }, ends);
    const text = take(0, name);
    checkOffsets(values, text.length, name);
    return { field, validity, values, text };
  });
  return { rows, columns };
}

const NOTHING = new Uint8Array();

const bytesOf = (type: Exclude<ArrowType, { kind: "text" }>): number =>
  type.kind === "timestamp" ? 8 : type.bytes;

const arrays = {
  float: { 4: Float32Array, 8: Float64Array },
  signed: { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: BigInt64Array },
  unsigned: { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array },
} as const;

function numbersIn(
  bytes: Uint8Array,
  type: Exclude<ArrowType, { kind: "text" }>,
  count: number,
): ColumnValues {
  const Numbers = arrayOf(type);
  // Writers align their buffers; one that does not is read all the same.
  const aligned = bytes.byteOffset % Numbers.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Numbers(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
}

function arrayOf(type: Exclude<ArrowType, { kind: "text" }>) {
  switch (type.kind) {
    case "float":
      return arrays.float[type.bytes];
    case "int":
      return type.signed ? arrays.signed[type.bytes] : arrays.unsigned[type.bytes];
    case "timestamp":
      return BigInt64Array;
  }
}

function checkOffsets(offsets: ColumnValues, textBytes: number, name: string): void {
  let last = 0;
  for (const offset of offsets) {
    const at = Number(offset);
    if (at < last || at > textBytes) throw unreadable(`the texts of column '${name}' lie outside its bytes`);
    last = at;
  }
}

/** Whether a row has a value. */
export const hasValue = ({ validity }: ArrowColumn, row: number): boolean =>
  validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0;

/** The UTF-8 bytes of a row of texts. */
export const textBytes = ({ values, text }: ArrowColumn, row: number): Uint8Array =>
  text.subarray(Number(values[row]), Number(values[row + 1]));
