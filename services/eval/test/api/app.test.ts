import { createProbes } from "@flts/common/service/probes";
import { createManualClock } from "@flts/testing/manual-clock";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import { buildApp } from "../../src/api/app.ts";
import { createTokenGuard } from "../../src/api/token.ts";
import { evalStage } from "../../src/eval-stage.ts";
import { createDoor } from "../../src/promotion/door.ts";
import { context } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";

const TOKEN = "s3cret-token";

let world: World;
let app: FastifyInstance;
let champion: string;
let round: string;
let other: string;

const open = (token: string, clock = createManualClock()): FastifyInstance =>
  buildApp({
    ...world.doorDeps,
    registry: new Registry(),
    probes: createProbes(),
    bodyLimitBytes: 64 * 1024,
    logRequests: false,
    door: createDoor(world.doorDeps),
    guard: createTokenGuard(token, clock),
  });

beforeEach(async () => {
  world = await createWorld();
  const candidate = await world.train();
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  champion = candidate.run_id!;
  round = candidate.round;
  other = (await world.train({ window: 5, round: "b" })).run_id!;
  app = open(TOKEN);
});

const post = (
  url: string,
  payload: unknown,
  { token = TOKEN, to = app }: { token?: string | null; to?: FastifyInstance } = {},
): Promise<LightMyRequestResponse> =>
  to.inject({
    method: "POST",
    url,
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
    headers: {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
  });
const get = (url: string): Promise<LightMyRequestResponse> => app.inject({ method: "GET", url });

test("a run is promoted by whoever has the token, and asked again it makes no epoch", async () => {
  const order = { runId: other, reason: "a better window", actor: "kim" };
  const made = await post("/promote", order);
  expect([made.statusCode, made.json()]).toMatchObject([
    200,
    { changed: true, promotion: { epoch: 2, run_id: other, actor: "kim", reason: "a better window" } },
  ]);
  const again = await post("/promote", order);
  expect([again.statusCode, again.json()]).toMatchObject([200, { changed: false, promotion: { epoch: 2 } }]);
});

test("a rollback goes back; with nothing to go back to it is a conflict", async () => {
  expect((await post("/rollback", { reason: "no" })).statusCode).toBe(409);
  await post("/promote", { runId: other, reason: "yes" });
  const back = await post("/rollback", { toEpoch: 1, reason: "no" });
  expect([back.statusCode, back.json()]).toMatchObject([
    200,
    { promotion: { epoch: 3, run_id: champion, actor: "api" } },
  ]);
});

test.each([
  ["no body", "", /body/i],
  ["a body that is no JSON", "{", /JSON/i],
  ["a list", "[]", /body: .*object/],
  ["no run", { reason: "r" }, /^runId: /],
  ["a run with a path in it", { runId: "../x", reason: "r" }, /^runId: /],
  ["no reason", { runId: "a".repeat(32) }, /^reason: /],
  ["an empty reason", { runId: "a".repeat(32), reason: "  " }, /^reason: /],
  ["a reason without end", { runId: "a".repeat(32), reason: "x".repeat(1_001) }, /^reason: /],
  [
    "a station that leads elsewhere",
    { runId: "a".repeat(32), reason: "r", identifier: "../x" },
    /^identifier: /,
  ],
  ["force that is a word", { runId: "a".repeat(32), reason: "r", force: "yes" }, /^force: /],
  ["a misspelt field", { runId: "a".repeat(32), reason: "r", froce: true }, /^froce: /],
])("an order with %s is 400 and names the field", async (_name, body, detail) => {
  const answer = await post("/promote", body);
  expect([answer.statusCode, (answer.json() as { detail: string }).detail]).toEqual([
    400,
    expect.stringMatching(detail),
  ]);
});

test.each([0, -1, 1.5, "one"])("a rollback to epoch %s is 400", async (toEpoch) => {
  const answer = await post("/rollback", { toEpoch, reason: "r" });
  expect([answer.statusCode, answer.json()]).toMatchObject([
    400,
    { detail: expect.stringMatching(/^toEpoch: /) },
  ]);
});

test("an unknown run is 404, a run of another station and one with changed files are 409, each with its reason", async () => {
  expect((await post("/promote", { runId: "0".repeat(32), reason: "r" })).statusCode).toBe(404);
  const foreign = await post("/promote", { runId: other, reason: "r", identifier: "Sants" });
  expect([foreign.statusCode, foreign.json()]).toMatchObject([
    409,
    { detail: expect.stringContaining("station default") },
  ]);
  await world.tracker.putArtifact(other, "LINEAR/model.onnx", new Uint8Array([1]));
  const broken = await post("/promote", { runId: other, reason: "r" });
  expect([broken.statusCode, broken.json()]).toMatchObject([
    409,
    { detail: expect.stringContaining("integrity") },
  ]);
});

test("without a token on eval the writing routes are 403 and say how to set one", async () => {
  const answer = await post("/promote", { runId: other, reason: "r" }, { to: open("") });
  expect([answer.statusCode, answer.json()]).toMatchObject([
    403,
    { detail: expect.stringContaining("PROMOTION_API_TOKEN_FILE") },
  ]);
});

test.each([null, "", "wrong", `${TOKEN}x`, TOKEN.slice(1)])(
  "the token %j is 401, whatever the body says",
  async (token) => {
    const answer = await post("/promote", "{", { token });
    expect([answer.statusCode, answer.headers["www-authenticate"]]).toEqual([
      401,
      'Bearer realm="promotion"',
    ]);
    expect(world.lines.at(-1)).toMatchObject({ event: "promotion_unauthorized", status: 401 });
  },
);

test("after five wrong tokens an address has to wait a minute, also with the right one", async () => {
  const clock = createManualClock();
  const to = open(TOKEN, clock);
  const order = { runId: champion, reason: "r" };
  for (let tries = 0; tries < 5; tries++)
    expect((await post("/promote", order, { token: "x", to })).statusCode).toBe(401);
  const refused = await post("/promote", order, { to });
  expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([429, "60"]);
  await clock.advance(60_000);
  expect((await post("/promote", order, { to })).statusCode).toBe(200);
});

test("a tracker that does not answer is 503, not a refusal", async () => {
  await world.tracker.close();
  expect((await post("/promote", { runId: other, reason: "r" })).statusCode).toBe(503);
});

test("the history, the models and a round's scoreboard can be read without a token", async () => {
  await post("/promote", { runId: other, reason: "r" });
  expect((await get("/promotions")).json()).toMatchObject({ promotions: [{ epoch: 2 }, { epoch: 1 }] });
  expect((await get("/promotions?limit=1")).json()).toMatchObject({ promotions: [{ epoch: 2 }] });
  expect((await get("/promotions?identifier=Sants")).json()).toEqual({ identifier: "Sants", promotions: [] });
  expect((await get("/models")).json()).toMatchObject({
    models: [
      { version: "1.1.0", run_id: other, aliases: ["champion"], epochs: [2] },
      { version: "1.0.0", run_id: champion, aliases: ["previous"], epochs: [1] },
    ],
  });
  for (const version of ["1.0.0", "previous"])
    expect((await get(`/models/${version}`)).json()).toMatchObject({ run_id: champion });
  expect((await get(`/scoreboard/${round}`)).json()).toMatchObject({
    round,
    decisions: [{ verdict: "cold_start", scoreboard: [{ run_id: champion, verdict: "cold_start" }] }],
  });
});

test.each([
  ["/models/9.9.9", 404],
  ["/models/newest", 400],
  [`/scoreboard/${"0".repeat(64)}`, 404],
  ["/scoreboard/last", 400],
  ["/promotions?limit=0", 400],
  ["/promotions?limit=many", 400],
  ["/models?identifier=global", 400],
])("GET %s is %d", async (url, status) => {
  expect((await get(url)).statusCode).toBe(status);
});

test("its description names every route it has", async () => {
  const document = (await get("/openapi.json")).json() as { openapi: string; paths: Record<string, object> };
  expect(document.openapi).toBe("3.1.0");
  const routes = [
    "/promote",
    "/rollback",
    "/promotions",
    "/scoreboard/{round}",
    "/models",
    "/models/{version}",
  ];
  expect(Object.keys(document.paths)).toEqual(routes);
  const page = await get("/docs");
  expect(page.headers["content-type"]).toContain("text/html");
  for (const route of routes) expect(page.body).toContain(route);
});
