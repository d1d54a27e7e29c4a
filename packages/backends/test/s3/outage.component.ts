import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { collect } from "@flts/testing/contract/collect";
import { expectCode } from "@flts/testing/contract/expect-code";
import { afterAll, beforeAll, expect, test } from "vitest";
import { open } from "./open-s3-store.ts";

const bucket = "outage";
const script = fileURLToPath(new URL("../../../../tools/components/s3.sh", import.meta.url));

/** A server of this file alone, for it is killed: of the kind that `FLTS_S3_BACKEND` says. */
let folder: string;
let store: ObjectStore;

const server = async (command: "up" | "crash" | "down"): Promise<Readonly<Record<string, string>>> => {
  const env = { ...process.env, FLTS_RUN_DIR: folder, FLTS_S3_PORT: "0" };
  const { stdout } = await promisify(execFile)(script, [command], { env });
  return Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flts-s3-outage-"));
  const { S3_ENDPOINT = "", AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = await server("up");
  store = await open({
    endpoint: S3_ENDPOINT,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
  });
  await store.ensureBucket(bucket);
}, 600_000);

afterAll(async () => {
  await store.close();
  await server("down");
  await rm(folder, { recursive: true, force: true });
});

test("a store that is killed and comes back has all that it confirmed, and nobody opens anything again", async () => {
  const confirmed: string[] = [];
  let failures = 0;
  const writing = new AbortController();
  const write = async (writer: number): Promise<void> => {
    for (let turn = 0; !writing.signal.aborted; turn += 1) {
      const key = `writer-${writer}/${turn}`;
      try {
        await store.put({ bucket, key }, Buffer.from(key), { condition: { ifNoneMatch: "*" } });
        confirmed.push(key);
      } catch (error) {
        await expectCode("STORE_UNAVAILABLE", Promise.reject(error as Error));
        failures += 1;
      }
    }
  };
  const writers = [write(0), write(1), write(2), write(3)];
  await until(() => confirmed.length > 20);
  await server("crash");
  await until(() => failures > 0);
  await expectCode("STORE_UNAVAILABLE", store.ping());
  await server("up");
  const before = confirmed.length;
  await until(() => confirmed.length > before + 20);
  writing.abort();
  await Promise.all(writers);

  await store.ping();
  for (const key of confirmed)
    expect(Buffer.from((await store.get({ bucket, key }))?.bytes ?? []).toString()).toBe(key);
});

test("a download that the store's death cuts short is noticed", async () => {
  const ref = { bucket, key: "large" };
  await store.put(ref, Buffer.alloc(64 * 1024 * 1024));
  const object = await store.stream(ref);
  if (object === null) throw new Error("the object is absent");
  const chunks = object.chunks[Symbol.asyncIterator]();
  await chunks.next();
  await server("crash");
  const rest = { [Symbol.asyncIterator]: () => chunks };
  await expectCode("STORE_UNAVAILABLE", collect(rest), /key=large/);
  await server("up");
  expect((await store.head(ref))?.sizeBytes).toBe(64 * 1024 * 1024);
});

/** Polls until it is so; the test's own time limit ends a wait in vain. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}
