import { expect, test } from "vitest";
import { faultOf, refusalOf } from "../../src/mlflow/faults.ts";

const fault = (status: number, body: string, runId?: string) =>
  faultOf(refusalOf(status, Buffer.from(body)), {
    server: "http://mlflow:5000",
    what: "GET runs/get",
    runId,
  });
const said = (errorCode: string, message = "because") => JSON.stringify({ error_code: errorCode, message });

test.each([
  ["a run that is not there", 404, said("RESOURCE_DOES_NOT_EXIST"), "RUN_MISSING"],
  ["a parameter that changes", 400, said("INVALID_PARAMETER_VALUE"), "TRACKER_REJECTED"],
  ["a fault of the server", 500, said("INTERNAL_ERROR"), "TRACKER_UNAVAILABLE"],
  ["a server under load", 429, said("REQUEST_LIMIT_EXCEEDED"), "TRACKER_UNAVAILABLE"],
  ["a gateway without a server", 503, "<html>503</html>", "TRACKER_UNAVAILABLE"],
  ["a page of somebody else's", 404, "<!doctype html>", "TRACKER_UNAVAILABLE"],
  ["an answer that is JSON, but not MLflow's", 404, `{"detail":"Not Found"}`, "TRACKER_UNAVAILABLE"],
  ["a redirect", 302, "", "TRACKER_UNAVAILABLE"],
  ["a gateway that takes no such file", 413, "<html>too large</html>", "TRACKER_REJECTED"],
  ["wrong credentials", 401, "You are not authenticated.", "TRACKER_FORBIDDEN"],
  ["missing permission", 403, said("PERMISSION_DENIED"), "TRACKER_FORBIDDEN"],
])("%s (%i) is a fault of its kind", (_, status, body, code) => {
  expect(fault(status, body, "0123")).toMatchObject({ code });
});

test("what is missing and is no run is rejected in MLflow's words", () => {
  expect(fault(404, said("RESOURCE_DOES_NOT_EXIST", "no such model"))).toMatchObject({
    code: "TRACKER_REJECTED",
    message: expect.stringContaining("no such model"),
  });
});

test("a server that refuses its own name says which option lets it in", () => {
  const error = fault(403, "Invalid Host header - possible DNS rebinding attack detected");
  expect(error).toMatchObject({ code: "TRACKER_FORBIDDEN", kind: "fatal" });
  expect(error.message).toMatch(/--allowed-hosts "mlflow:5000"/);
});

test("a long page is quoted in its beginning only", () => {
  expect(fault(502, `<html>\n${"x".repeat(100_000)}`).message.length).toBeLessThan(400);
});
