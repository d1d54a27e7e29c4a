import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendSettings, connectBackends } from "@flts/backends/connect";
import { history } from "@flts/cli/commands/history";
import { models } from "@flts/cli/commands/models";
import { promote, rollback } from "@flts/cli/commands/promote";
import { openDesk } from "@flts/cli/commands/promotion-desk";
import { createOutput, type Output } from "@flts/cli/terminal/output";
import { modelSelected } from "@flts/common/contracts/events";
import { loadConfig } from "@flts/common/service/config";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildDecision, buildPromotion, storePromotion } from "../pipeline/decisions.ts";

/** The commands of promotion, directly on a home and through a running eval. */

let home: string;
let server: Server | null = null;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "flts-promotion-"));
});
afterEach(async () => {
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
  rmSync(home, { recursive: true, force: true });
});

function collect(): { readonly output: Output; readonly text: () => string; readonly result: () => unknown } {
  const written = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const output = createOutput(true, { stdout: sink("stdout"), stderr: sink("stderr") }, { NO_COLOR: "1" });
  return { output, text: () => written.stderr, result: () => JSON.parse(written.stdout) as unknown };
}

const first = buildPromotion(buildDecision(), { version: "1.0.0", reason: "the first" });
const second = buildPromotion(buildDecision({ base_epoch: 1, verdict: "promoted" }), {
  run_id: "run-GRU",
  model_type: "GRU",
  version: "1.1.0",
  promotion_id: "manual:1",
  source: "manual",
  actor: "kim@desk",
  reason: "it is faster",
  overridden: ["another feature schema"],
});

/** A home with two promotions whose runs are gone. */
async function fillHome(): Promise<void> {
  const backends = await openBackends();
  await backends.store.ensureBucket("model-promotion");
  for (const promotion of [first, second]) await storePromotion(backends.store, promotion);
  await backends.close();
}

const openBackends = () => connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));

const order = { identifier: "", reason: "because", force: false };

test("the history names who decided and why, the latest promotion first", async () => {
  await fillHome();
  const desk = await openDesk(home, {});
  const { output, text, result } = collect();
  await history(desk, { identifier: "", limit: 50 }, output);
  await desk.close();
  expect(text()).toMatch(/2\s+1\.1\.0\s+GRU .*\(forced\)\s+kim@desk .*it is faster/);
  expect(text()).toMatch(/1\s+1\.0\.0\s+LINEAR .*cold_start\s+the gate .*the first/);
  expect(result()).toMatchObject({ promotions: [{ epoch: 2 }, { epoch: 1 }] });
});

test("models are listed by version, with what they are now", async () => {
  await fillHome();
  const desk = await openDesk(home, {});
  const { output, result } = collect();
  await models(desk, "", output);
  await desk.close();
  expect(result()).toMatchObject({
    models: [
      { version: "1.1.0", aliases: ["champion"] },
      { version: "1.0.0", aliases: ["previous"] },
    ],
  });
});

test("a station without promotions says so", async () => {
  await fillHome();
  const desk = await openDesk(home, {});
  const { output, text } = collect();
  await history(desk, { identifier: "Sants", limit: 5 }, output);
  await models(desk, "Sants", collect().output);
  await desk.close();
  expect(text()).toContain("Station Sants has had no champion yet");
});

test("an order goes through the door: what it refuses is refused, and the present champion makes no epoch", async () => {
  await fillHome();
  const desk = await openDesk(home, {});
  await expect(promote(desk, { ...order, runId: "unknown" }, collect().output)).rejects.toMatchObject({
    code: "RUN_MISSING",
  });
  await expect(rollback(desk, { ...order, toEpoch: 9 }, collect().output)).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
  });
  const { output, text, result } = collect();
  await promote(desk, { ...order, runId: "run-GRU" }, output);
  await desk.close();
  expect(text()).toContain("is the champion already: no epoch was made");
  expect(result()).toMatchObject({ changed: false, promotion: { epoch: 2 } });
  const backends = await openBackends();
  const events: unknown[] = [];
  for await (const { value } of backends.log.browse(modelSelected.name))
    events.push(JSON.parse(Buffer.from(value).toString()));
  await backends.close();
  expect(events).toMatchObject([{ epoch: 2 }]);
});

test("with EVAL_URL the order goes to that eval, with the token and who asks", async () => {
  const asked: { path: string; authorization: string | undefined; body: unknown }[] = [];
  const url = await serve((path, authorization, body) => {
    asked.push({ path, authorization, body });
    return [200, { promotion: second, changed: true }];
  });
  const desk = await openDesk("/nowhere", { EVAL_URL: url, PROMOTION_API_TOKEN: "secret" });
  const { output, text } = collect();
  await promote(desk, { ...order, runId: "run-GRU", force: true }, output);
  expect(text()).toContain("epoch 2");
  expect(text()).toContain("forced: another feature schema");
  await rollback(desk, { ...order, toEpoch: null }, collect().output);
  expect(asked).toMatchObject([
    {
      path: "/promote",
      authorization: "Bearer secret",
      body: { runId: "run-GRU", reason: "because", force: true, actor: expect.stringMatching(/.+@.+/) },
    },
    { path: "/rollback", authorization: "Bearer secret", body: { toEpoch: null, reason: "because" } },
  ]);
});

test.each([
  [409, { detail: "trained on another feature schema" }, "trained on another feature schema"],
  [401, { detail: "A valid bearer token is needed" }, "PROMOTION_API_TOKEN_FILE"],
  [500, "oops", "eval answered with status 500"],
])("an eval that answers %d is heard", async (status, body, message) => {
  const desk = await openDesk("/nowhere", { EVAL_URL: await serve(() => [status, body]) });
  await expect(desk.promote({ ...order, runId: "r" })).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
    message: expect.stringContaining(message),
  });
});

test("an eval that does not answer is named", async () => {
  const desk = await openDesk("/nowhere", { EVAL_URL: "http://127.0.0.1:9" });
  await expect(desk.models("")).rejects.toMatchObject({
    code: "INPUT_MISSING",
    message: expect.stringContaining("EVAL_URL"),
  });
});

test("what is no URL, or no eval, is told by the name of its variable", async () => {
  await expect(openDesk("/nowhere", { EVAL_URL: "eval:8050" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining('EVAL_URL = "eval:8050": must be a URL such as http://localhost:8050'),
  });
  const desk = await openDesk("/nowhere", { EVAL_URL: await serve(() => [200, { hello: "world" }]) });
  await expect(desk.models("")).rejects.toMatchObject({
    code: "INPUT_MISSING",
    message: expect.stringMatching(/is no FLTS eval \(EVAL_URL\)$/),
  });
});

type Answer = readonly [status: number, body: unknown];

/** An eval that answers what it is told to. */
async function serve(
  answer: (path: string, authorization: string | undefined, body: unknown) => Answer,
): Promise<string> {
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const body: unknown = text === "" ? null : JSON.parse(text);
      const [status, reply] = answer(request.url ?? "", request.headers.authorization, body);
      response.writeHead(status, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify(reply));
    });
  });
  const listening = server;
  await new Promise<void>((resolve) => {
    listening.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}
