import { FltsError } from "@flts/common/contracts/errors";
import { expect, test } from "vitest";
import { withFaults } from "../src/faults.ts";
import { createMemoryStore } from "../src/memory-store.ts";

const ref = { bucket: "dataset", key: "a" };
const unavailable = new FltsError("STORE_UNAVAILABLE", "on purpose");

test("a refused operation has done nothing, and only the next ones are refused", async () => {
  const { port, failNext } = withFaults(createMemoryStore());
  await port.ensureBucket("dataset");
  failNext("put", unavailable, 2);
  await expect(port.put(ref, new Uint8Array())).rejects.toBe(unavailable);
  await expect(port.put(ref, new Uint8Array())).rejects.toBe(unavailable);
  expect(await port.head(ref)).toBeNull();
  await port.put(ref, new Uint8Array());
  expect(await port.head(ref)).not.toBeNull();
});

test("an operation whose answer is lost has done its work", async () => {
  const { port, loseNextAnswer } = withFaults(createMemoryStore());
  await port.ensureBucket("dataset");
  loseNextAnswer("put", unavailable);
  await expect(port.put(ref, new Uint8Array())).rejects.toBe(unavailable);
  expect(await port.head(ref)).not.toBeNull();
});
