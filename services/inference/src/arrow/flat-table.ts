import { unreadable } from "./refusal.ts";

/**
 * A table of FlatBuffers (https://flatbuffers.dev/internals/), read with suspicion: every place that it names is looked up through a `DataView`, which throws
 * beyond the end, and the length of every list is held to the bytes that are there.
 */
export interface FlatTable {
  /** Fields by number; 0, null or nothing where a field is absent. */
  uint8(field: number): number;
  int16(field: number): number;
  int32(field: number): number;
  int64(field: number): number;
  text(field: number): string | null;
  table(field: number): FlatTable | null;
  tables(field: number): readonly FlatTable[];
  /** A list of structs that are made of 64-bit numbers, so many in each. */
  numbers(field: number, perStruct: number): readonly (readonly number[])[];
}

const INT64_BYTES = 8;
/** Tables and structs in one list: far more than any schema of ours, few enough to be looked at. */
const MAX_LENGTH = 10_000;
const MAX_TEXT_BYTES = 1_000;

/** The table at the root of a buffer. Its reads throw RangeError where the buffer is too short for what it says. */
export function rootTable(bytes: Uint8Array): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return tableAt(view, view.getUint32(0, true));
}

function tableAt(view: DataView, position: number): FlatTable {
  const fields = position - view.getInt32(position, true);
  const size = view.getUint16(fields, true);
  /** 0 for an absent field. */
  const placeOf = (field: number): number => {
    const entry = 4 + 2 * field;
    const offset = entry + 2 > size ? 0 : view.getUint16(fields + entry, true);
    return offset === 0 ? 0 : position + offset;
  };
  const targetOf = (place: number): number => place + view.getUint32(place, true);
  const read = <T>(field: number, absent: T, at: (place: number) => T): T => {
    const place = placeOf(field);
    return place === 0 ? absent : at(place);
  };
  /** Where a list begins, and how many elements it has. */
  const listAt = (place: number, elementBytes: number, maxLength: number) => {
    const start = targetOf(place);
    const length = view.getUint32(start, true);
    if (length > maxLength || start + 4 + length * elementBytes > view.byteLength)
      throw unreadable(`a list in its metadata claims ${length} elements`);
    return { first: start + 4, length };
  };
  return {
    uint8: (field) => read(field, 0, (place) => view.getUint8(place)),
    int16: (field) => read(field, 0, (place) => view.getInt16(place, true)),
    int32: (field) => read(field, 0, (place) => view.getInt32(place, true)),
    int64: (field) => read(field, 0, (place) => Number(view.getBigInt64(place, true))),
    text: (field) =>
      read(field, null, (place): string | null => {
        const { first, length } = listAt(place, 1, MAX_TEXT_BYTES);
        return Buffer.from(view.buffer, view.byteOffset + first, length).toString();
      }),
    table: (field) => read(field, null, (place): FlatTable | null => tableAt(view, targetOf(place))),
    tables: (field) =>
      read(field, [], (place): readonly FlatTable[] => {
        const { first, length } = listAt(place, 4, MAX_LENGTH);
        return Array.from({ length }, (_, index) => tableAt(view, targetOf(first + 4 * index)));
      }),
    numbers: (field, perStruct) =>
      read(field, [], (place): readonly (readonly number[])[] => {
        const structBytes = perStruct * INT64_BYTES;
        const { first, length } = listAt(place, structBytes, MAX_LENGTH);
        const structAt = (start: number): number[] =>
          Array.from({ length: perStruct }, (_, index) =>
            Number(view.getBigInt64(start + index * INT64_BYTES, true)),
          );
        return Array.from({ length }, (_, index) => structAt(first + index * structBytes));
      }),
  };
}
