import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createService } from "../service.ts";
import { bulkOf, float, many, rowsOf, text } from "./requests.ts";
import { streamOf, type TestColumns, timeAt, types } from "./streams.ts";

let service = createService();
beforeEach(() => {
  service = createService();
});
afterEach(() => service.app.close());

const bulk: ReturnType<typeof bulkOf> = (...request) => bulkOf(service)(...request);
const long = (count: number) => ({
  ts: { type: types.time, values: many(count).map(timeAt) },
  down: { type: float, values: many(count) },
  up: { type: float, values: many(count) },
});
const emptied: TestColumns = Object.fromEntries(
  ["down", "up"].map((name) => [name, { type: float, values: [] }]),
);
const refusalOf = async (payload: Buffer, query = "") => {
  const response = await bulk(payload, query);
  return [response.statusCode, String(response.json().detail)];
};

describe("POST /predict/bulk refuses", () => {
  it.each<[string, () => Buffer, string]>([
    ["no bytes", () => Buffer.alloc(0), "not a readable Arrow stream: it ends before"],
    ["JSON", () => Buffer.from('{"data":{"ts":[]}}'), "a message does not begin with the mark of one"],
    ["half a stream", () => streamOf(rowsOf()).subarray(0, -100), "it ends before its end-of-stream mark"],
    [
      "a stream without its end",
      () => streamOf(rowsOf()).subarray(0, -8),
      "it ends before its end-of-stream mark",
    ],
    [
      "two streams",
      () => Buffer.concat([streamOf(rowsOf()), streamOf(rowsOf())]),
      "something follows its end",
    ],
    [
      "no rows",
      () => streamOf(rowsOf({ ...emptied, ts: { type: types.time, values: [] } })),
      "must include at least one row",
    ],
    [
      "no time stamps",
      () => streamOf({ down: { type: float, values: [1] } }),
      "must include a timestamp column",
    ],
    [
      "columns that are missing",
      () => streamOf({ ts: rowsOf()["ts"]! }),
      "Missing required feature columns: down, up",
    ],
    [
      "text for numbers",
      () => streamOf(rowsOf({ up: text("a", "b") })),
      "Columns contain non-numeric values: up",
    ],
    [
      "dates",
      () => streamOf(rowsOf({ up: { type: types.day, values: [0, 1] } })),
      "Column 'up' is of type date",
    ],
    [
      "categories",
      () => streamOf({ ...rowsOf(), series: { type: types.category, values: ["a", "a"] } }),
      "Column 'series' is dictionary-encoded",
    ],
    [
      "numbers for times",
      () => streamOf(rowsOf({ ts: { type: float, values: [1, 2] } })),
      "Column 'ts' must hold timestamps",
    ],
    [
      "times that are none",
      () => streamOf(rowsOf({ ts: text("2018", "soon") })),
      "Column 'ts' contains invalid timestamps",
    ],
    [
      "a missing time",
      () => streamOf(rowsOf({ ts: { type: types.time, values: [timeAt(0), null] } })),
      "Column 'ts' contains invalid timestamps",
    ],
    [
      "times a century off",
      () => streamOf(rowsOf({ ts: text("2118-01-01 00:00:00", "2118-01-01 00:02:00") })),
      "Series '': Column 'ts' lies decades away",
    ],
    [
      "a time twice",
      () =>
        streamOf({
          ...rowsOf({ ts: { type: types.time, values: [timeAt(0), timeAt(0)] } }),
          series: text("a", "a"),
        }),
      "Series 'a': column 'ts' has 2018-02-05 23:40:00 twice",
    ],
    [
      "too few rows",
      () => streamOf({ ...rowsOf(), series: text("a", "b") }),
      "Series 'a': Insufficient rows: the model needs 2 rows of history, the request has 1",
    ],
    [
      "rows of no series",
      () => streamOf({ ...rowsOf(), series: text("a", null) }),
      "Column 'series' has rows without a series",
    ],
    [
      "series named by numbers with a point",
      () => streamOf({ ...rowsOf(), series: { type: float, values: [1, 1] } }),
      "Column 'series' must hold",
    ],
    [
      "infinite numbers",
      () => streamOf(rowsOf({ up: { type: float, values: [1, Number.POSITIVE_INFINITY] } })),
      "Columns contain values that are not finite: up",
    ],
    [
      "huge numbers",
      () => streamOf(rowsOf({ up: { type: float, values: [1, 1e300] } })),
      "Columns contain values beyond 1e+30: up",
    ],
  ])("answers %s with 400 and what is wrong", async (_name, payload, detail) => {
    expect(await refusalOf(payload())).toEqual([400, expect.stringContaining(detail)]);
  });

  it("refuses rows, batches and bodies beyond its limits with 413", async () => {
    const batch = long(15_000);
    expect(await refusalOf(streamOf(batch, batch))).toEqual([
      413,
      expect.stringContaining("more than 20000 rows"),
    ]);
    expect(await refusalOf(streamOf(long(60_000)))).toEqual([413, expect.stringContaining("max_chunksize")]);
    const large = Buffer.concat([streamOf(long(10)), Buffer.alloc(8 * 1024 ** 2)]);
    expect(await refusalOf(large)).toEqual([413, "Request body is larger than 8388608 bytes"]);
  });

  it.each(["0", "10001", "x", ""])("answers the length %j with 400", async (length) => {
    expect(await refusalOf(streamOf(rowsOf()), `?inference_length=${length}`)).toEqual([
      400,
      expect.stringContaining("inference_length: "),
    ]);
  });

  it("never answers bytes of any kind with a 5xx, nor takes long to say so", async () => {
    const whole = streamOf({ ...rowsOf(), series: text("a", "a") });
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    const damaged = flips.map((places) => {
      const bytes = Buffer.from(whole);
      for (const [place, byte] of places) bytes[place] = byte;
      return bytes;
    });
    const shortened = fc.nat(whole.length).map((length) => whole.subarray(0, length));
    const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 5, arbitrary: damaged }, shortened, noise), async (payload) => {
        const { statusCode } = await bulk(payload);
        expect([200, 400, 413]).toContain(statusCode);
      }),
      { numRuns: 2_000 },
    );
  });
});
