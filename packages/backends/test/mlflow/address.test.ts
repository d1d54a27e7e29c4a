import { expect, test } from "vitest";
import { mlflowAddress } from "../../src/mlflow/address.ts";

const settings = (change: Readonly<Record<string, string>>) => ({
  MLFLOW_TRACKING_URI: "http://mlflow:5000",
  MLFLOW_TRACKING_USERNAME: "",
  MLFLOW_TRACKING_PASSWORD: "",
  MLFLOW_TRACKING_TOKEN: "",
  ...change,
});

test("the address is a URL without a slash at its end, below a path where there is one", () => {
  expect(mlflowAddress(settings({}))).toStrictEqual({ url: "http://mlflow:5000", authorization: null });
  expect(mlflowAddress(settings({ MLFLOW_TRACKING_URI: "https://ml.example.com/tracking//" }))).toStrictEqual(
    {
      url: "https://ml.example.com/tracking",
      authorization: null,
    },
  );
});

test("a user name with a password goes before a token, as in MLflow's clients", () => {
  const user = { MLFLOW_TRACKING_USERNAME: "ada", MLFLOW_TRACKING_PASSWORD: "s:ö" };
  const token = { MLFLOW_TRACKING_TOKEN: "t" };
  const basic = `Basic ${Buffer.from("ada:s:ö").toString("base64")}`;
  expect(mlflowAddress(settings({ ...user, ...token })).authorization).toBe(basic);
  expect(mlflowAddress(settings(token)).authorization).toBe("Bearer t");
  expect(mlflowAddress(settings({ MLFLOW_TRACKING_USERNAME: "ada", ...token })).authorization).toBe(
    "Bearer t",
  );
});

test("credentials in the URL are read out of it", () => {
  const address = mlflowAddress(settings({ MLFLOW_TRACKING_URI: "http://ada:p%40ss@mlflow:5000" }));
  expect(address).toStrictEqual({
    url: "http://mlflow:5000",
    authorization: `Basic ${Buffer.from("ada:p@ss").toString("base64")}`,
  });
});

test("a percent sign that begins no code stands for itself", () => {
  const { authorization } = mlflowAddress(
    settings({ MLFLOW_TRACKING_URI: "http://ada:100%25%@mlflow:5000" }),
  );
  expect(authorization).toBe(`Basic ${Buffer.from("ada:100%25%").toString("base64")}`);
});

test("a password in a URI that is none is not told", () => {
  expect(() => mlflowAddress(settings({ MLFLOW_TRACKING_URI: "ada:secret@mlflow:5000" }))).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message: expect.not.stringContaining("secret") }),
  );
});

test.each(["mlflow:5000", "databricks", "file:///mlruns", "./mlruns", "sqlite:///mlflow.db"])(
  "%s is no server, and is refused as a fault of configuration",
  (uri) => {
    expect(() => mlflowAddress(settings({ MLFLOW_TRACKING_URI: uri }))).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(uri) }),
    );
  },
);
