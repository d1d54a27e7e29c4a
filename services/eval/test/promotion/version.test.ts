import type { Promotion } from "@flts/common/contracts/promotion";
import fc from "fast-check";
import { expect, test } from "vitest";
import { keptVersion, type ModelTraits, nextVersion, traitsOf } from "../../src/promotion/version.ts";

const model: ModelTraits = { model_type: "LSTM", feature_schema: "f", settings_sha256: "s" };

const championOf = (traits: ModelTraits, version: string, highest = version): Promotion =>
  ({ ...traits, version, highest_version: highest }) as Promotion;

test("the first model of a station is 1.0.0", () => {
  expect(nextVersion(null, model)).toEqual({ version: "1.0.0", highest_version: "1.0.0" });
});

test.each([
  ["the same trained anew", model, "1.2.4"],
  ["other settings", { ...model, settings_sha256: "t" }, "1.3.0"],
  ["another family", { ...model, model_type: "GRU" }, "1.3.0"],
  ["another feature schema", { ...model, feature_schema: "g" }, "2.0.0"],
  ["another schema and another family", { ...model, feature_schema: "g", model_type: "GRU" }, "2.0.0"],
])("%s is the right part of a version up", (_name, next, version) => {
  expect(nextVersion(championOf(model, "1.2.3"), next).version).toBe(version);
});

test("after a rollback it is counted from the highest version, so that none is given twice", () => {
  expect(nextVersion(championOf(model, "1.0.0", "1.4.2"), model).version).toBe("1.4.3");
  expect(keptVersion(championOf(model, "1.4.2"), "1.0.0")).toEqual({
    version: "1.0.0",
    highest_version: "1.4.2",
  });
});

test("a champion of an earlier release, which has no version, is followed by one all the same", () => {
  const { highest_version: _, version: __, ...legacy } = championOf(model, "1.0.0");
  expect(nextVersion(legacy as Promotion, model).version).toBe("1.0.1");
});

test("whatever is promoted and rolled back, versions rise and none is given twice", () => {
  const traits = fc.record({
    model_type: fc.constantFrom("LSTM", "GRU"),
    feature_schema: fc.constantFrom("f", "g"),
    settings_sha256: fc.constantFrom("s", "t"),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(traits, fc.option(fc.nat()))), (steps) => {
      const history: Promotion[] = [];
      const given: string[] = [];
      for (const [next, back] of steps) {
        const champion = history.at(-1) ?? null;
        const restored = back === null ? undefined : history[back % Math.max(1, history.length)];
        if (restored?.version !== undefined && champion !== null)
          history.push({ ...restored, ...keptVersion(champion, restored.version) });
        else {
          const version = nextVersion(champion, next);
          given.push(version.version);
          history.push({ ...(next as Promotion), ...version });
        }
      }
      expect(new Set(given).size).toBe(given.length);
      expect(given).toEqual(given.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })));
    }),
  );
});

/** A table of these columns, as far as a schema goes. */
const table = (...names: readonly string[]) => ({
  columns: names.map((column) => ({ column, center: 0, divisor: 1, scale: 1, shift: 0 })),
});

test("the schema is which columns the table has in which order, and which targets; the settings are all of them", () => {
  const described = { family: "LSTM", scaling: table("a", "b"), targets: ["a"], settings: { epochs: 1 } };
  const traits = traitsOf(described);
  expect(traitsOf({ ...described })).toEqual(traits);
  for (const other of [{ scaling: table("b", "a") }, { scaling: table("a") }, { targets: ["b"] }])
    expect(traitsOf({ ...described, ...other }).feature_schema).not.toBe(traits.feature_schema);
  expect(traitsOf({ ...described, settings: { epochs: 2 } })).toMatchObject({
    feature_schema: traits.feature_schema,
    settings_sha256: expect.not.stringMatching(traits.settings_sha256),
  });
});

test("a family that reads only some columns of a table has the table's schema", () => {
  const [prophet, lstm] = ["PROPHET", "LSTM"].map((family) =>
    traitsOf({ family, scaling: table("a", "b"), targets: ["a"], settings: {} }),
  );
  expect(prophet?.feature_schema).toBe(lstm?.feature_schema);
});
