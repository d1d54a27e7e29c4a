import { openApiDocument } from "@flts/common/service/openapi";
import { createTable } from "@flts/forecasting/table/table";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { inferenceApi } from "../../src/openapi/api.ts";
import { predictAnswer, predictBody } from "../../src/openapi/predict-schemas.ts";
import { rowsOf } from "../fakes.ts";
import { createService } from "../service.ts";

const service = createService();
afterAll(() => service.app.close());

describe("the description of the interface", () => {
  it("is OpenAPI 3.1, by the schema of OpenAPI itself", async () => {
    const document = (await service.get("/openapi.json")).json();
    expect(document).toEqual(structuredClone(openApiDocument(inferenceApi)));
    const { valid, errors } = await new Validator().validate(document);
    expect([document.openapi, valid, errors]).toEqual(["3.1.0", true, undefined]);
  });

  it("describes routes that are there", () => {
    for (const { method, path } of inferenceApi.operations) {
      const url = path.replaceAll(/\{(\w+)\}/g, ":$1");
      expect([path, service.app.hasRoute({ method: method.toUpperCase() as "GET", url })]).toEqual([
        path,
        true,
      ]);
    }
  });

  it("describes every route that is there", () => {
    const described = inferenceApi.operations.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, ":$1"));
    const known = new Set([...described, "/openapi.json", "/docs", "/v2/"]);
    expect(
      routesOf(service.app.printRoutes({ commonPrefix: false })).filter((url) => !known.has(url)),
    ).toEqual([]);
  });

  it("is there for people, without anything from elsewhere", async () => {
    const page = await service.get("/docs");
    expect(page.headers["content-type"]).toContain("text/html");
    for (const { path } of inferenceApi.operations) expect(page.body).toContain(path);
    expect(page.body).not.toMatch(/https?:|<script|src=/);
  });
});

/** The URLs in Fastify's drawing of its routes: a tree, in which a line says what it adds to the one above it. */
function routesOf(drawing: string): string[] {
  const above: string[] = [];
  return drawing.split("\n").flatMap((line) => {
    const [, indent = "", part = "", methods] = /^([│ ]*)[├└]── (\S+)(?: \((.+)\))?$/u.exec(line) ?? [];
    const depth = indent.length / 4;
    above.length = depth;
    above.push(`${above.at(-1) ?? ""}${part}`);
    return methods === undefined ? [] : [above[depth]!];
  });
}

describe("what is said of /predict", () => {
  it("holds for every body that is answered, and for every answer", async () => {
    service.state.frame = createTable(
      Float64Array.of(Date.UTC(2018, 2, 5), Date.UTC(2018, 2, 5, 0, 2)),
      ["down", "up"],
      [Float64Array.of(1, 2), Float64Array.of(3, 4)],
    );
    const data = fc.constantFrom<unknown[]>(
      rowsOf(3),
      { ...rowsOf(2), down: [1, null] },
      null,
      {},
      { ts: 1 },
    );
    const body = fc.option(
      fc.record(
        {
          data,
          index_col: fc.constantFrom("ts", "x", null, 1),
          inference_length: fc.constantFrom(1, 3, null, "2", 0, 1.5),
          identifier: fc.constantFrom("default", null, 1),
          mode: fc.constantFrom("forecast", "backtest", null, "guess"),
          other: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const response = await service.post(JSON.stringify(value));
        fc.pre(response.statusCode === 200);
        expect(predictBody.safeParse(value).error).toBeUndefined();
        expect(predictAnswer.strict().safeParse(response.json()).error).toBeUndefined();
      }),
    );
  });
});
