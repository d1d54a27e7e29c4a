import { expect, test } from "vitest";
import { type GroupMemberClaim, sharesOf } from "../../src/kafka/sticky-assigner.ts";

const partitions = [0, 1, 2].map((partition) => ({ topic: "t", partition }));
const member = (
  id: string,
  topics: readonly string[],
  ...held: readonly (readonly [number, boolean])[]
): GroupMemberClaim => ({
  id,
  topics,
  held: held.map(([partition, busy]) => ({ topic: "t", partition, busy })),
});
const shares = (...members: readonly GroupMemberClaim[]) =>
  Object.fromEntries(sharesOf(partitions, members).map(({ memberId, assignment }) => [memberId, assignment]));

test("a member alone owns all, and a new one is given what is idle", () => {
  expect(shares(member("a", ["t"]))).toStrictEqual({ a: { t: [0, 1, 2] } });
  const owner = member("a", ["t"], [0, true], [1, false], [2, true]);
  expect(shares(owner, member("b", ["t"]))).toStrictEqual({ a: { t: [0, 2] }, b: { t: [1] } });
});

test("nothing moves that need not", () => {
  const both = [member("a", ["t"], [2, false]), member("b", ["t"], [0, false], [1, false])];
  expect(shares(...both)).toStrictEqual({ a: { t: [2] }, b: { t: [0, 1] } });
});

test("who does not want a topic gets nothing of it", () => {
  expect(shares(member("a", ["other"]), member("b", ["t"]))).toStrictEqual({ a: {}, b: { t: [0, 1, 2] } });
});
