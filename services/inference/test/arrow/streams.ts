import {
  type DataType,
  DateDay,
  Dictionary,
  Float32,
  Int32,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Table,
  TimestampMillisecond,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";

/** Arrow streams of the tests, written and read by Arrow's own library. */

export interface TestColumns {
  readonly [name: string]: { readonly type: DataType; readonly values: readonly unknown[] };
}

export const types = {
  text: new Utf8(),
  time: new TimestampMillisecond(),
  float: new Float32(),
  day: new DateDay(),
  category: new Dictionary(new Utf8(), new Int32()),
};

/** Two-minute steps from 2018-02-05 23:40, as in the requests of other tests. */
export const timeAt = (row: number): number => Date.UTC(2018, 1, 5, 23, 40) + row * 120_000;

const tableOf = (columns: TestColumns): Table =>
  new Table(
    Object.fromEntries(
      Object.entries(columns).map(([name, { type, values }]) => [name, vectorFromArray(values, type)]),
    ),
  );

/** One stream, in as many batches as there are groups of columns. */
export function streamOf(...groups: readonly TestColumns[]): Buffer {
  const batches = groups.flatMap((group) => tableOf(group).batches);
  const schema = batches[0]?.schema ?? new Schema([]);
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  for (const { data } of batches) writer.write(new RecordBatch(schema, data));
  writer.finish();
  return Buffer.from(writer.toUint8Array(true));
}

export interface AnswerRow {
  readonly series: string;
  readonly ts: number;
  readonly down: number | null;
  readonly down_lower: number | null;
  readonly down_upper: number | null;
}

export function readAnswer(bytes: Buffer) {
  const table = tableFromIPC(bytes);
  const rows = table.toArray().map((row) => ({ ...row.toJSON() }) as AnswerRow);
  return { rows, metadata: Object.fromEntries(table.schema.metadata), batches: table.batches.length };
}
