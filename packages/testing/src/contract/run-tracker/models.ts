import { beforeEach, describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import { absentRun, type TrackerSuite } from "./suite.ts";

export function models(suite: TrackerSuite): void {
  describe("registry of models", () => {
    let model: string;
    beforeEach(() => {
      model = `model of ${suite.experiment}`;
    });
    const register = async (tags: Readonly<Record<string, string>> = {}): Promise<string> => {
      const runId = await suite.start();
      return (await suite.tracker.registerModel({ model, runId, path: "LSTM", tags })).version;
    };
    const aliases = async (): Promise<Record<string, readonly string[]>> =>
      Object.fromEntries(
        (await suite.tracker.listModelVersions(model)).map((version) => [version.version, version.aliases]),
      );

    test("numbers the versions of a model from 1 and keeps what was said of each", async () => {
      const runId = await suite.start();
      const tags = { promotion_id: "p-1", semantic_version: "1.0.0" };
      const first = await suite.tracker.registerModel({ model, runId, path: "LSTM", tags });
      expect(first).toStrictEqual({
        model,
        version: "1",
        runId,
        path: "LSTM",
        tags,
        aliases: [],
        createdAt: expect.any(Number),
      });
      expect(await register()).toBe("2");
      expect(await suite.other.listModelVersions(model)).toMatchObject([first, { version: "2", tags: {} }]);
    });

    test("lists more than nine versions in the order of their numbers", async () => {
      const runId = await suite.start();
      for (let number = 1; number <= 11; number += 1)
        await suite.tracker.registerModel({ model, runId, path: "GRU/inner", tags: { n: String(number) } });
      const listed = await suite.tracker.listModelVersions(model);
      const numbers = Array.from({ length: 11 }, (_, index) => String(index + 1));
      expect(listed.map(({ version }) => version)).toStrictEqual(numbers);
      expect(listed.map(({ tags }) => tags["n"])).toStrictEqual(numbers);
      expect(new Set(listed.map(({ path }) => path))).toStrictEqual(new Set(["GRU/inner"]));
    });

    test("has no versions of a model that nobody registered", async () => {
      expect(await suite.tracker.listModelVersions(`${model} absent`)).toStrictEqual([]);
    });

    test("moves an alias from one version to another", async () => {
      await register();
      await register();
      await suite.tracker.setModelAlias(model, "champion", "1");
      await suite.tracker.setModelAlias(model, "challenger", "2");
      await suite.tracker.setModelAlias(model, "best", "1");
      expect(await aliases()).toStrictEqual({ "1": ["best", "champion"], "2": ["challenger"] });
      await suite.tracker.setModelAlias(model, "champion", "2");
      await suite.tracker.setModelAlias(model, "champion", "2");
      expect(await aliases()).toStrictEqual({ "1": ["best"], "2": ["challenger", "champion"] });
    });

    test("removes an alias, and once more without a fault", async () => {
      await register();
      await suite.tracker.setModelAlias(model, "previous", "1");
      await suite.tracker.removeModelAlias(model, "previous");
      expect(await aliases()).toStrictEqual({ "1": [] });
      await suite.tracker.removeModelAlias(model, "previous");
      await suite.tracker.removeModelAlias(`${model} absent`, "previous");
    });

    test("lets an alias name only a version that is there", async () => {
      await expectCode("TRACKER_REJECTED", suite.tracker.setModelAlias(model, "champion", "1"), /version 1/);
      await register();
      await expectCode("TRACKER_REJECTED", suite.tracker.setModelAlias(model, "champion", "2"), /version 2/);
      await expectCode("TRACKER_REJECTED", suite.tracker.setModelAlias(model, "champion", "one"), /one/);
      expect(await aliases()).toStrictEqual({ "1": [] });
    });

    test("refuses names and paths that mean something else", async () => {
      const runId = await suite.start();
      for (const name of ["", "a/b", "a:b", "..", "a\nb"]) {
        const version = { model: name, runId, path: "LSTM", tags: {} };
        await expectCode("TRACKER_REJECTED", suite.tracker.registerModel(version), /name/);
        await expectCode("TRACKER_REJECTED", suite.tracker.listModelVersions(name), /name/);
      }
      const version = { model, runId, path: "../LSTM", tags: {} };
      await expectCode("TRACKER_REJECTED", suite.tracker.registerModel(version), /path/);
      await register();
      for (const alias of ["", "latest", "v1", "a/b", "a b"])
        await expectCode("TRACKER_REJECTED", suite.tracker.setModelAlias(model, alias, "1"), /alias/);
    });

    test("registers nothing of a run that was not started", async () => {
      const registering = suite.tracker.registerModel({ model, runId: absentRun, path: "LSTM", tags: {} });
      await expectCode("RUN_MISSING", registering, new RegExp(absentRun));
      expect(await suite.tracker.listModelVersions(model)).toStrictEqual([]);
    });

    test("gives every one of two clients' registrations a number of its own", async () => {
      const runId = await suite.start();
      const registered = await Promise.all(
        Array.from({ length: 8 }, (_, number) =>
          (number % 2 ? suite.other : suite.tracker).registerModel({
            model,
            runId,
            path: "LSTM",
            tags: { n: String(number) },
          }),
        ),
      );
      const numbers = registered.map(({ version }) => Number(version)).toSorted((a, b) => a - b);
      expect(numbers).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      const listed = await suite.tracker.listModelVersions(model);
      for (const { version, tags } of registered)
        expect(listed.find((one) => one.version === version)?.tags).toStrictEqual(tags);
    });
  });
}
