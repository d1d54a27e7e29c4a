import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFolderStore } from "../../src/embedded/folder-store.ts";
import { appendVersion, findVersion, type Version } from "../../src/embedded/object-folder.ts";
import { createSystemRandom } from "../../src/system-random.ts";

describe("an object on disk", () => {
  let folder: string;
  let store: ObjectStore;
  const ref = { bucket: "dataset", key: "stations/PobleSec.csv" };
  const objectFolder = (): string => join(folder, "dataset", "stations", "PobleSec.csv@");
  const present = async (): Promise<Version> => {
    const version = await findVersion(objectFolder());
    if (!version) throw new Error("no object");
    return version;
  };
  const replace = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) await store.put(ref, Buffer.from(`later ${time}`));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flts-object-"));
    store = await createFolderStore({ folder, random: createSystemRandom() });
    await store.ensureBucket("dataset");
    await store.put(ref, Buffer.from("first"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("is found by people under its key", async () => {
    const [life = ""] = await readdir(objectFolder());
    expect(await readFile(join(objectFolder(), life, "0000000001"), "utf8")).toBe("first");
  });

  test("keeps the bytes of the last versions only, and their names for a while", async () => {
    await replace(100);
    const { lifeFolder, number, replaced } = await present();
    expect(number).toBe(101);
    expect(replaced.filter(({ hasBytes }) => hasBytes).map((version) => version.number)).toStrictEqual([100]);
    expect(await readdir(lifeFolder)).toHaveLength(64);
    expect(Buffer.from((await store.get(ref))?.bytes ?? []).toString()).toBe("later 99");
  });

  // Late: between looking and linking, others have replaced the object so many times.
  test.each([1, 2, 63, 64, 65, 66, 100, 150])(
    "is not replaced by a writer that is %i versions late",
    async (late) => {
      const seen = await present();
      await replace(late);
      const staged = join(folder, "staged");
      await writeFile(staged, "from the past");
      expect(await appendVersion(seen, staged)).not.toBe("written");
      expect(Buffer.from((await store.get(ref))?.bytes ?? []).toString()).toBe(`later ${late - 1}`);
      await store.put(ref, Buffer.from("and on"));
      expect(Buffer.from((await store.get(ref))?.bytes ?? []).toString()).toBe("and on");
    },
  );

  test("is not replaced by a writer that is late by a removal", async () => {
    const seen = await present();
    await store.remove(ref);
    await store.put(ref, Buffer.from("another life"));
    const staged = join(folder, "staged");
    await writeFile(staged, "from the past");
    expect(await appendVersion(seen, staged)).toBe("lost");
    expect(Buffer.from((await store.get(ref))?.bytes ?? []).toString()).toBe("another life");
  });

  test("leaves no folder behind when it is removed", async () => {
    await store.remove(ref);
    expect(await readdir(join(folder, "dataset"))).toStrictEqual([]);
    expect(await readdir(join(folder, "@scratch"))).toStrictEqual([]);
  });

  test("is not disturbed by files that other programs leave", async () => {
    const [life = ""] = await readdir(objectFolder());
    for (const path of ["", "stations", "stations/PobleSec.csv@", `stations/PobleSec.csv@/${life}`]) {
      await writeFile(join(folder, "dataset", path, ".DS_Store"), "");
      await writeFile(join(folder, "dataset", path, "100%"), "");
    }
    const keys = [];
    for await (const { key } of store.list("dataset", "")) keys.push(key);
    expect(keys).toStrictEqual([ref.key]);
    expect(Buffer.from((await store.get(ref))?.bytes ?? []).toString()).toBe("first");
  });

  test("says so when somebody has emptied its folder", async () => {
    await rm(join((await present()).lifeFolder, "0000000001"));
    await expect(store.get(ref)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("what a dead writer left is swept at the next start, what is fresh is not", async () => {
    const scratch = join(folder, "@scratch");
    await writeFile(join(scratch, "old"), "half");
    await writeFile(join(scratch, "fresh"), "half");
    const twoHoursAgo = Date.now() / 1000 - 7200;
    await utimes(join(scratch, "old"), twoHoursAgo, twoHoursAgo);
    await createFolderStore({ folder, random: createSystemRandom() });
    expect(await readdir(scratch)).toStrictEqual(["fresh"]);
  });
});
