import { HttpError } from "@flts/common/service/http";
import { describe, expect, it } from "vitest";
import { parsePredictRequest } from "../../src/predict/request.ts";

describe("parsePredictRequest", () => {
  it.each([
    ["null", null],
    ["an empty object", {}],
    ["data that is null", { data: null }],
    ["fields it does not know", { colour: "blue" }],
  ])("asks for the cached frame with %s", (_name, body) => {
    expect(parsePredictRequest(body, {})).toEqual({
      data: null,
      indexColumn: null,
      identifier: null,
      mode: "forecast",
      steps: null,
    });
  });

  it("takes rows, index column, station, mode and steps from the body", () => {
    const data = { t: ["2018-02-05"] };
    const body = { data, index_col: "t", identifier: "a", inference_length: 7, mode: "backtest" };
    expect(parsePredictRequest(body, {})).toEqual({
      data,
      indexColumn: "t",
      identifier: "a",
      mode: "backtest",
      steps: 7,
    });
  });

  it("lets the query's steps win over the body's", () => {
    expect(parsePredictRequest({ inference_length: 7 }, { inference_length: "3" }).steps).toBe(3);
  });

  it.each([1, 10_000])("takes %i steps", (steps) => {
    expect(parsePredictRequest({ inference_length: steps }, {}).steps).toBe(steps);
    expect(parsePredictRequest({}, { inference_length: String(steps) }).steps).toBe(steps);
  });

  it.each([
    ["a body of text", "rows", {}, ["body"]],
    ["a body that is a list", [1], {}, ["body"]],
    ["a body that is a number", 0, {}, ["body"]],
    ["no steps", { inference_length: 0 }, {}, ["body", "inference_length"]],
    ["too many steps", { inference_length: 10_001 }, {}, ["body", "inference_length"]],
    ["half a step", { inference_length: 1.5 }, {}, ["body", "inference_length"]],
    ["endless steps", { inference_length: Number.POSITIVE_INFINITY }, {}, ["body", "inference_length"]],
    ["steps as text", { inference_length: "3" }, {}, ["body", "inference_length"]],
    ["negative steps in the query", {}, { inference_length: "-1" }, ["query", "inference_length"]],
    ["too many steps in the query", {}, { inference_length: "10001" }, ["query", "inference_length"]],
    ["no number in the query", {}, { inference_length: "ten" }, ["query", "inference_length"]],
    ["an empty query", {}, { inference_length: "" }, ["query", "inference_length"]],
    ["steps given twice", {}, { inference_length: ["1", "2"] }, ["query", "inference_length"]],
    ["an index column that is no name", { index_col: 3 }, {}, ["body", "index_col"]],
    ["a station that is no name", { identifier: 3 }, {}, ["body", "identifier"]],
  ])("refuses %s with 422 and says where", (_name, body, query, loc) => {
    const { status, detail } = refusal(() => parsePredictRequest(body, query));
    expect(status).toBe(422);
    expect(detail).toEqual([expect.objectContaining({ loc })]);
  });

  it("refuses an absent body with the reference's text", () => {
    expect(refusal(() => parsePredictRequest(undefined, {}))).toMatchObject({
      status: 400,
      detail: "Request payload must include a non-empty 'data' object",
    });
  });

  it.each([["guess"], [7], [{}]])("refuses the mode %s, which it does not know", (mode) => {
    expect(refusal(() => parsePredictRequest({ mode }, {}))).toMatchObject({
      status: 400,
      detail: expect.stringContaining("Unknown mode"),
    });
  });
});

function refusal(action: () => unknown): HttpError["refusal"] {
  try {
    action();
  } catch (error) {
    if (error instanceof HttpError) return error.refusal;
    throw error;
  }
  throw new Error("nothing was refused");
}
