import { describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import { create, incrementPatiently } from "../store-tasks.ts";
import { read, text } from "./probes.ts";
import type { StoreSuite } from "./suite.ts";

export function conditions(suite: StoreSuite): void {
  describe("conditions", () => {
    test("creates only what is absent, and leaves what is there as it is", async () => {
      const first = await suite.store.put(suite.at("object"), text("one"), {
        condition: { ifNoneMatch: "*" },
      });
      await expectCode(
        "OBJECT_CONFLICT",
        suite.store.put(suite.at("object"), text("two"), { condition: { ifNoneMatch: "*" } }),
        /key=object/,
      );
      expect(await suite.store.get(suite.at("object"))).toMatchObject(first);
      expect(read(await suite.store.get(suite.at("object")))).toBe("one");
    });

    test("creates again after a removal", async () => {
      await suite.store.put(suite.at("object"), text("one"), { condition: { ifNoneMatch: "*" } });
      await suite.store.remove(suite.at("object"));
      await suite.store.put(suite.at("object"), text("two"), { condition: { ifNoneMatch: "*" } });
      expect(read(await suite.store.get(suite.at("object")))).toBe("two");
    });

    test("replaces exactly the expected version", async () => {
      const first = await suite.store.put(suite.at("object"), text("one"));
      await suite.store.put(suite.at("object"), text("two"), { condition: { ifMatch: first.etag } });
      await expectCode(
        "OBJECT_CONFLICT",
        suite.store.put(suite.at("object"), text("three"), { condition: { ifMatch: first.etag } }),
      );
      expect(read(await suite.store.get(suite.at("object")))).toBe("two");
    });

    test("does not replace what is absent or was removed", async () => {
      await expectCode(
        "OBJECT_CONFLICT",
        suite.store.put(suite.at("no"), text("x"), { condition: { ifMatch: "x" } }),
      );
      const { etag } = await suite.store.put(suite.at("object"), text("one"));
      await suite.store.remove(suite.at("object"));
      await expectCode(
        "OBJECT_CONFLICT",
        suite.store.put(suite.at("object"), text("two"), { condition: { ifMatch: etag } }),
      );
      expect(await suite.store.get(suite.at("object"))).toBeNull();
    });

    test("has one winner among forty that create at once", async () => {
      const won = await Promise.all(
        Array.from({ length: 40 }, (_, index) => create(suite.store, suite.at("race"), `writer ${index}`)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(read(await suite.store.get(suite.at("race")))).toBe(`writer ${won.indexOf(true)}`);
    });

    test("loses none of fifty increments made at once", async () => {
      await suite.store.put(suite.at("counter"), text("0"));
      await Promise.all(
        Array.from({ length: 50 }, () => incrementPatiently(suite.store, suite.at("counter"))),
      );
      expect(read(await suite.store.get(suite.at("counter")))).toBe("50");
    });

    // Left out, not skipped: a skipped test counts as failed in CI.
    if (!suite.capabilities.etagsNameVersions) return;
    describe("with ETags that name versions", () => {
      test("notices that the same bytes were written again", async () => {
        const first = await suite.store.put(suite.at("object"), text("A"));
        await suite.store.put(suite.at("object"), text("B"));
        const third = await suite.store.put(suite.at("object"), text("A"));
        expect(third.etag).not.toBe(first.etag);
        await expectCode(
          "OBJECT_CONFLICT",
          suite.store.put(suite.at("object"), text("C"), { condition: { ifMatch: first.etag } }),
        );
      });

      test("notices that the object was removed and created again with the same bytes", async () => {
        const first = await suite.store.put(suite.at("object"), text("A"));
        await suite.store.remove(suite.at("object"));
        await suite.store.put(suite.at("object"), text("A"));
        await expectCode(
          "OBJECT_CONFLICT",
          suite.store.put(suite.at("object"), text("C"), { condition: { ifMatch: first.etag } }),
        );
      });
    });
  });
}
