import { expect, test } from "vitest";
import { createLeaseWatch } from "../../src/embedded/lease-watch.ts";

const beats = (record: Readonly<Record<string, number>>) => new Map(Object.entries(record));

test("a member is silent once its beat has stood still for the lease time", () => {
  const watch = createLeaseWatch(3000, 1000);
  for (const nowMs of [0, 1000, 2000]) expect(watch.observe(nowMs, beats({ a: 7 }))).toStrictEqual([]);
  expect(watch.observe(3000, beats({ a: 7 }))).toStrictEqual(["a"]);
});

test("every beat begins a new lease", () => {
  const watch = createLeaseWatch(3000, 1000);
  for (const nowMs of [0, 1000, 2000]) watch.observe(nowMs, beats({ a: 1, b: 1 }));
  expect(watch.observe(3000, beats({ a: 2, b: 1 }))).toStrictEqual(["b"]);
  expect(watch.observe(5000, beats({ a: 2 }))).toStrictEqual([]);
});

test("an observer that was frozen gives everybody time to show a beat", () => {
  const watch = createLeaseWatch(3000, 1000);
  watch.observe(0, beats({ a: 1 }));
  expect(watch.observe(60_000, beats({ a: 1 }))).toStrictEqual([]);
  expect(watch.observe(61_000, beats({ a: 2 }))).toStrictEqual([]);
});

test("a member that was gone is looked at anew", () => {
  const watch = createLeaseWatch(2000, 1000);
  watch.observe(0, beats({ a: 1 }));
  watch.observe(1000, beats({}));
  expect(watch.observe(2000, beats({ a: 1 }))).toStrictEqual([]);
});
