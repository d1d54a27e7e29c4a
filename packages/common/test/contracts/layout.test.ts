import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "../../src/contracts/errors.ts";
import { checkName, isStation, keys, promotionFolder } from "../../src/contracts/layout.ts";

const refused = expect.objectContaining({ code: "OBJECT_NAME_INVALID" });
const digest = "d".repeat(64);

test.each(["PobleSec", "LesCorts", "ElBorn", "a", "9", "station-7_b.2", "x".repeat(100)])(
  "%s is a name",
  (name) => {
    expect(checkName("identifier", name)).toBe(name);
  },
);

test.each([
  "",
  ".",
  "..",
  "../etc",
  "a/../b",
  "a..b",
  "/etc",
  "a/b",
  "a\\b",
  "-rf",
  ".hidden",
  "a b",
  "a\nb",
  "a\n",
  "a\u0000",
  "%2e%2e",
  "ü",
  "x".repeat(101),
])("%j is no name", (name) => {
  expect(() => checkName("identifier", name)).toThrow(refused);
});

test("a refusal shows what was refused, but not all of a huge name", () => {
  expect(() => checkName("identifier", `../${"x".repeat(10_000)}`)).toThrow(
    /^identifier "\.\.\/x{117}" is not a name/,
  );
});

test("no identifier leads out of its own folder, or into the one of the default station", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(".", "/", "a", "%", "\\") }),
    fc.constantFrom("global", "default", "", "..", "history"),
  );
  fc.assert(
    fc.property(hostile, (identifier) => {
      const isDefault = identifier === "" || identifier === "default";
      const folder = isDefault ? "global" : identifier;
      const expected = isStation(identifier) ? [folder, "current.json"] : "OBJECT_NAME_INVALID";
      expect(attempt(() => keys.head(identifier).split("/"))).toEqual(expected);
    }),
  );
});

test("the folder of the default station is reserved: no other station may be called global", () => {
  for (const key of [promotionFolder, keys.head, keys.historyOf])
    expect(() => key("global")).toThrow(refused);
});

test("the default station keeps the reference's places, another station has a folder of its own", () => {
  expect(keys.processedHead("", "processed_data")).toBe("processed_data.meta.json");
  expect(keys.processedHead("ElBorn", "processed_data")).toBe("ElBorn/processed_data.meta.json");
  expect(keys.processedTable("", digest, "processed_data")).toBe(`${digest}/processed_data.parquet`);
  expect(keys.processedTable("ElBorn", digest, "processed_data")).toBe(
    `ElBorn/${digest}/processed_data.parquet`,
  );
  expect([keys.head(""), keys.head("ElBorn")]).toEqual(["global/current.json", "ElBorn/current.json"]);
  expect(keys.rootHead).toBe("current.json");
});

test("candidates and decisions lie under their round", () => {
  expect(keys.candidate("r", "LSTM", "w").startsWith(keys.candidatesOf("r"))).toBe(true);
  expect(keys.decision("r", "d", 1)).toBe("decisions/r/d/0001.json");
  expect(keys.decision("r", "d", 2).startsWith(keys.decisionsOf("r", "d"))).toBe(true);
});

test("a listing of the history is in the order of its epochs", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 99_999_999 })), (epochs) => {
      const listed = epochs.map((epoch) => keys.history("ElBorn", epoch)).toSorted();
      expect(listed).toEqual(epochs.toSorted((a, b) => a - b).map((epoch) => keys.history("ElBorn", epoch)));
      for (const key of listed) expect(key.startsWith(keys.historyOf("ElBorn"))).toBe(true);
    }),
  );
});

test("forecasts that are kept are listed in the order in which the truth about them will be known", () => {
  const listed = ["20180206T000200", "20180131T235800", "17000101T000000"].map((until) =>
    keys.keptForecasts("ElBorn", until, "batch-1"),
  );
  expect(listed.toSorted()).toEqual(listed.toReversed());
  for (const key of listed) expect(key.startsWith(keys.keptForecastsOf("ElBorn"))).toBe(true);
});

/** What `key` returns, or the code of what it throws. */
function attempt<T>(key: () => T): T | string {
  try {
    return key();
  } catch (error) {
    return codeOf(error);
  }
}

test.each(["candidates", "decisions", "current.json", "processed_data.meta.json", digest])(
  "no station is called %s: other objects lie there",
  (name) => {
    expect(isStation(name)).toBe(false);
    expect(() => keys.head(name)).toThrow(/taken/);
  },
);

test("no key is the folder of another, whatever stations, families and tables are called", () => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,8}$/),
    fc.constantFrom("", "default", "parts", "history", "pointers", "a.json", "candidates", "decisions"),
  );
  const station = name.filter((each) => isStation(each));
  const table = name.filter((each) => /^[a-z0-9]/.test(each));
  const stations = fc.array(station, { maxLength: 4 });
  fc.assert(
    fc.property(stations, table, table, (named, tableName, family) => {
      const all = ["", ...named];
      const perBucket = [
        all.flatMap((each) => [
          keys.processedTable(each, digest, tableName),
          keys.processedHead(each, tableName),
        ]),
        all.flatMap((each) => [
          keys.inferenceLogPart(each, "20251102", "replica-1"),
          keys.inferenceLog(each, "20251102"),
          keys.batchForecast(each, "run", "hash"),
          keys.keptForecasts(each, "20180206T000000", "predict"),
          keys.liveError(each),
        ]),
        [
          keys.rootHead,
          keys.candidate(digest, family, digest),
          keys.decision(digest, digest, 1),
          ...all.flatMap((each) => [
            keys.head(each),
            keys.history(each, 1),
            keys.pointer(each, digest),
            keys.station(each),
          ]),
          keys.lease(digest),
          keys.redrive("training-data", 0, "7"),
          keys.redriver,
          keys.storeTime,
          keys.waiting(digest),
        ],
      ];
      for (const inOneBucket of perBucket)
        for (const key of inOneBucket)
          for (const other of inOneBucket) expect(other.startsWith(`${key}/`), `${key} ${other}`).toBe(false);
    }),
  );
});
