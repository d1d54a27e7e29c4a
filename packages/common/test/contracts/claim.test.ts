import { expect, test } from "vitest";
import { inferenceClaim, trainingClaim } from "../../src/contracts/claim.ts";

/** As the reference publishes it (reference behaviour §2.2). */
const referenceClaim = {
  bucket: "processed-data",
  object: "processed_data.parquet",
  size: 1_728_070,
  v: 1,
  config_hash: "6ce79cfae0029f0499e5ca7a14f996ee0fe8c7d4f2a4bbf2fe78d3ae6b155ea9",
  identifier: "",
};

test("the reference's training claim is read as it is", () => {
  expect(trainingClaim.parse(referenceClaim)).toEqual(referenceClaim);
});

test("object_key stands in for object, and object wins where both are given", () => {
  const { object, ...keyed } = referenceClaim;
  expect(trainingClaim.parse({ ...keyed, object_key: object }).object).toBe(object);
  expect(inferenceClaim.parse({ ...keyed, object, object_key: "other" }).object).toBe(object);
});

test("the reference's inference claim is read with its operation", () => {
  const claim = { ...referenceClaim, object_key: referenceClaim.object, operation: "post: test data" };
  expect(inferenceClaim.parse(claim)).toEqual(claim);
});

test("a claim of the test endpoint needs no more than a bucket, an object and a size", () => {
  const bare = { bucket: "b", object: "o", size: 0 };
  expect(inferenceClaim.parse(bare)).toEqual({ ...bare, v: 1, config_hash: "", identifier: "" });
});

test.each([
  ["a training claim", trainingClaim, "post: train data", "post: test data"],
  ["an inference claim", inferenceClaim, "post: test data", "post: train data"],
])("%s takes no operation, null or its own, and no other", (_name, schema, own, other) => {
  for (const operation of [undefined, null, own])
    expect(schema.safeParse({ ...referenceClaim, operation }).success).toBe(true);
  expect(schema.safeParse({ ...referenceClaim, operation: other }).success).toBe(false);
});

test("unknown fields pass and are kept", () => {
  expect(trainingClaim.parse({ ...referenceClaim, added_later: [1] })).toHaveProperty("added_later", [1]);
});

test.each([
  ["no bucket", { bucket: undefined }],
  ["an empty bucket", { bucket: "" }],
  ["no object", { object: undefined }],
  ["an object name beyond S3's limit", { object: "x".repeat(1025) }],
  ["a negative size", { size: -1 }],
  ["a size that is no whole number", { size: 0.5 }],
  ["a size as text", { size: "7" }],
  ["a digest in upper case", { sha256: "A".repeat(64) }],
  ["a digest that is too short", { sha256: "a".repeat(63) }],
  ["a round that is no digest", { round: "../../x" }],
  ["an identifier that leads out of its folder", { identifier: "../x" }],
  ["an identifier that would be two folders", { identifier: "a/b" }],
  ["an identifier that is the default station's folder", { identifier: "global" }],
])("a claim with %s is refused before anybody works on it", (_name, fault) => {
  expect(trainingClaim.safeParse({ ...referenceClaim, ...fault }).success).toBe(false);
  expect(inferenceClaim.safeParse({ ...referenceClaim, ...fault }).success).toBe(false);
});

test.each([[null], ["text"], [7], [[referenceClaim]]])("%j is no claim", (value) => {
  expect(trainingClaim.safeParse(value).success).toBe(false);
});
