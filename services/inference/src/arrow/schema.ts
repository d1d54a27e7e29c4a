import type { FlatTable } from "./flat-table.ts";
import { refusal, unreadable } from "./refusal.ts";

/** A column of a stream, of a kind that we read. */
export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
}

export type ArrowType =
  | { readonly kind: "float"; readonly bytes: 4 | 8 }
  | { readonly kind: "int"; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly kind: "text"; readonly offsetBytes: 4 | 8 }
  /** `perMs`: units in a millisecond. */
  | { readonly kind: "timestamp"; readonly perMs: number };

const MAX_COLUMNS = 1_000;

/** `Type` of Arrow's Schema.fbs, by number. */
const typeNames = [
  "none",
  "null",
  "int",
  "float",
  "binary",
  "utf8",
  "bool",
  "decimal",
  "date",
  "time",
  "timestamp",
  "interval",
  "list",
  "struct",
  "union",
  "fixed-size binary",
  "fixed-size list",
  "map",
  "duration",
  "large binary",
  "large utf8",
  "large list",
  "run-end encoded",
  "binary view",
  "utf8 view",
];

/** The columns of a stream. @throws HttpError 400 naming a column of another kind than numbers, texts and times */
export function fieldsOf(schema: FlatTable): readonly ArrowField[] {
  if (schema.int16(0) !== 0) throw unreadable("its numbers are big-endian");
  const fields = schema.tables(1);
  if (fields.length > MAX_COLUMNS)
    throw refusal(`The stream has ${fields.length} columns, more than ${MAX_COLUMNS}`);
  const read = fields.map(fieldOf);
  const names = new Set<string>();
  for (const { name } of read) {
    if (names.has(name)) throw refusal(`Column '${name}' is there twice`);
    names.add(name);
  }
  return read;
}

function fieldOf(field: FlatTable): ArrowField {
  const name = field.text(0) ?? "";
  if (field.table(4) !== null)
    throw refusal(`Column '${name}' is dictionary-encoded: send its values themselves`);
  const number = field.uint8(2);
  const type = typeOf(typeNames[number] ?? `type ${number}`, field.table(3));
  if (type === null)
    throw refusal(
      `Column '${name}' is of type ${typeNames[number] ?? number}: send float32, float64, integers, utf8 or timestamps`,
    );
  return { name, type };
}

/** Units in a millisecond: seconds, milliseconds, microseconds, nanoseconds. */
const unitsPerMs = [0.001, 1, 1_000, 1_000_000];

function typeOf(name: string, details: FlatTable | null): ArrowType | null {
  if (details === null) return null;
  switch (name) {
    case "float":
      return (
        { 1: { kind: "float", bytes: 4 } as const, 2: { kind: "float", bytes: 8 } as const }[
          details.int16(0)
        ] ?? null
      );
    case "int": {
      const bytes = details.int32(0) / 8;
      if (bytes !== 1 && bytes !== 2 && bytes !== 4 && bytes !== 8) return null;
      return { kind: "int", bytes, signed: details.uint8(1) !== 0 };
    }
    case "utf8":
      return { kind: "text", offsetBytes: 4 };
    case "large utf8":
      return { kind: "text", offsetBytes: 8 };
    case "timestamp": {
      const perMs = unitsPerMs[details.int16(0)];
      return perMs === undefined ? null : { kind: "timestamp", perMs };
    }
    default:
      return null;
  }
}
