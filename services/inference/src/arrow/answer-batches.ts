import { stationOf } from "@flts/common/contracts/identity";
import {
  type Data,
  Field,
  Float64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMillisecond,
  Utf8,
} from "apache-arrow";
import type { Champion } from "../model/model-slot.ts";
import type { Forecast } from "../model/servable-model.ts";

/** The forecasts of some series, one each. */
export interface SeriesForecasts {
  readonly names: readonly string[];
  readonly forecasts: readonly Forecast[];
}

/** Writes an answer piece by piece: its head, any number of batches, its end. */
export interface AnswerWriter {
  readonly head: Uint8Array;
  batch(forecasts: SeriesForecasts): Uint8Array;
  readonly end: Uint8Array;
}

/** The end-of-stream mark. */
const END_BYTES = 8;

/**
 * An answer has the columns `series` and `ts` and, of each target, `<target>`, `<target>_lower` and `<target>_upper`; a forecast that is not finite is null.
 * Who computed it is said in the schema's metadata.
 */
export function answerWriter({ model, promotion }: Champion): AnswerWriter {
  const { targets } = model;
  const numberFields = targets.flatMap((target) =>
    ["", "_lower", "_upper"].map((suffix) => new Field(`${target}${suffix}`, new Float64(), true)),
  );
  const fields = [
    new Field("series", new Utf8(), false),
    new Field("ts", new TimestampMillisecond(), false),
    ...numberFields,
  ];
  const { identifier, run_id, model_type, config_hash, epoch } = promotion;
  const metadata = {
    identifier: stationOf(identifier),
    run_id,
    model_type,
    config_hash,
    model_version: String(epoch),
  };
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const empty = streamOf(schema, []);
  const headBytes = empty.length - END_BYTES;

  function columnsOf({ names, forecasts }: SeriesForecasts): Data[] {
    const steps = forecasts[0]?.timesMs.length ?? 0;
    const column = (series: "values" | "lower" | "upper", target: number): Data =>
      numbers(
        gather(forecasts, steps, (forecast, step) => forecast[series][step * targets.length + target]!),
      );
    return [
      repeated(names, steps),
      times(gather(forecasts, steps, ({ timesMs }, step) => timesMs[step]!)),
      ...targets.flatMap((_, target) => [
        column("values", target),
        column("lower", target),
        column("upper", target),
      ]),
    ];
  }

  return {
    head: empty.subarray(0, headBytes),
    batch(forecasts) {
      const children = columnsOf(forecasts);
      const length = children[0]?.length ?? 0;
      const data = makeData({ type: new Struct(fields), length, nullCount: 0, children });
      // Each is written as a stream of its own, of which the head and the end are left away: nothing is held back inside a writer.
      return streamOf(schema, [new RecordBatch(schema, data)]).subarray(headBytes, -END_BYTES);
    },
    end: empty.subarray(headBytes),
  };
}

function streamOf(schema: Schema, batches: readonly RecordBatch[]): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

function gather(
  forecasts: readonly Forecast[],
  steps: number,
  read: (forecast: Forecast, step: number) => number,
): Float64Array {
  const gathered = new Float64Array(forecasts.length * steps);
  for (const [index, forecast] of forecasts.entries())
    for (let step = 0; step < steps; step++) gathered[index * steps + step] = read(forecast, step);
  return gathered;
}

function numbers(data: Float64Array): Data {
  const absent = data.reduce((count, value) => (Number.isFinite(value) ? count : count + 1), 0);
  if (absent === 0) return makeData({ type: new Float64(), length: data.length, nullCount: 0, data });
  const nullBitmap = new Uint8Array(Math.ceil(data.length / 8));
  for (const [row, value] of data.entries())
    if (Number.isFinite(value)) nullBitmap[row >> 3]! |= 1 << (row & 7);
  return makeData({ type: new Float64(), length: data.length, nullCount: absent, nullBitmap, data });
}

const times = (timesMs: Float64Array): Data =>
  makeData({
    type: new TimestampMillisecond(),
    length: timesMs.length,
    nullCount: 0,
    data: BigInt64Array.from(timesMs, (timeMs) => BigInt(timeMs)),
  });

/** Each text `count` times. */
function repeated(texts: readonly string[], count: number): Data {
  const encoded = texts.map((text) => Buffer.from(text));
  const valueOffsets = new Int32Array(texts.length * count + 1);
  const data = new Uint8Array(encoded.reduce((sum, { length }) => sum + length * count, 0));
  let end = 0;
  for (const [index, bytes] of encoded.entries())
    for (let time = 0; time < count; time++) {
      data.set(bytes, end);
      end += bytes.length;
      valueOffsets[index * count + time + 1] = end;
    }
  return makeData({ type: new Utf8(), length: texts.length * count, nullCount: 0, valueOffsets, data });
}
