import { expect, test } from "vitest";
import { placeOf } from "../../src/mlflow/artifact-place.ts";

test.each([
  ["mlflow-artifacts:/0/ab/artifacts", { kind: "proxy", root: "0/ab/artifacts" }],
  ["mlflow-artifacts://mlflow:5000/0/ab/artifacts/", { kind: "proxy", root: "0/ab/artifacts" }],
  ["s3://mlflow/0/ab/artifacts", { kind: "s3", bucket: "mlflow", root: "0/ab/artifacts" }],
  ["s3://mlflow/deep/er/artifacts/", { kind: "s3", bucket: "mlflow", root: "deep/er/artifacts" }],
])("%s is a place that is reached", (uri, place) => {
  expect(placeOf(uri)).toStrictEqual(place);
});

test.each(["/mlruns/0/ab/artifacts", "file:///mlruns/0/ab", "gs://bucket/0/ab", "s3://bucket", ""])(
  "%s is not, and says how to start MLflow",
  (uri) => {
    expect(() => placeOf(uri)).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: expect.stringMatching(/artifacts-destination/),
      }),
    );
  },
);
