import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createManualClock, type ManualClock } from "@flts/testing/manual-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createMlflowApi, type MlflowApi } from "../../src/mlflow/api.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ok: Answer = (_, response) => response.end(`{"n": 7}`);
const busy: Answer = (_, response) => response.writeHead(503).end("<html>");
const hangUp: Answer = (request) => request.socket.destroy();
const silence: Answer = () => {};
const present: Answer = (_, response) =>
  response.writeHead(400).end(`{"error_code":"RESOURCE_ALREADY_EXISTS","message":"there"}`);

describe("MLflow's API", () => {
  let server: Server;
  let clock: ManualClock;
  let api: MlflowApi;
  let script: Answer[];
  let heard: { method: string | undefined; url: string | undefined; authorization: string | undefined }[];

  beforeEach(async () => {
    script = [];
    heard = [];
    server = createServer((request, response) => {
      const { method, url, headers } = request;
      heard.push({ method, url, authorization: headers.authorization });
      request.resume();
      (script.shift() ?? ok)(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    clock = createManualClock();
    const { port } = server.address() as AddressInfo;
    api = createMlflowApi({ url: `http://127.0.0.1:${port}`, authorization: "Bearer t" }, clock);
  });
  afterEach(() => {
    api.close();
    server.closeAllConnections();
    server.close();
  });

  const schema = z.object({ n: z.number() });
  const get = { verb: "GET", method: "runs/get", query: { run_id: "a b&c" } } as const;
  /** Lets pauses pass until the promise is settled. */
  const settle = async <Result>(promise: Promise<Result>): Promise<Result> => {
    let settled = false;
    void promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    await expect
      .poll(async () => {
        if (clock.sleeping() > 0) await clock.advance(1000);
        return settled;
      })
      .toBe(true);
    return promise;
  };

  test("asks with encoded parameters and credentials", async () => {
    expect(await api.call(get, schema)).toStrictEqual({ n: 7 });
    expect(heard).toStrictEqual([
      { method: "GET", url: "/api/2.0/mlflow/runs/get?run_id=a+b%26c", authorization: "Bearer t" },
    ]);
  });

  test.each([
    ["a server that is busy", busy],
    ["a connection that breaks", hangUp],
  ])("asks again after %s", async (_, trouble) => {
    script = [trouble, trouble, ok];
    expect(await settle(api.call(get, schema))).toStrictEqual({ n: 7 });
    expect(heard).toHaveLength(3);
  });

  test("gives up after three attempts", async () => {
    script = [busy, hangUp, busy, ok];
    await expect(settle(api.call(get, schema))).rejects.toMatchObject({ code: "TRACKER_UNAVAILABLE" });
    expect(heard).toHaveLength(3);
  });

  test("asks only once for what would be made twice", async () => {
    script = [hangUp];
    const creation = { verb: "POST", method: "runs/create", body: {}, once: true } as const;
    await expect(api.call(creation, schema)).rejects.toMatchObject({ code: "TRACKER_UNAVAILABLE" });
    expect(heard).toHaveLength(1);
  });

  test("does not ask again after a refusal", async () => {
    script = [(_, response) => response.writeHead(400).end(`{"error_code":"INVALID_PARAMETER_VALUE"}`)];
    await expect(api.call(get, schema)).rejects.toMatchObject({ code: "TRACKER_REJECTED" });
    expect(heard).toHaveLength(1);
  });

  test("answers null for the one refusal that is expected", async () => {
    script = [present, present];
    expect(await api.callUnless("RESOURCE_ALREADY_EXISTS", get, schema)).toBeNull();
    await expect(api.callUnless("RESOURCE_DOES_NOT_EXIST", get, schema)).rejects.toMatchObject({
      code: "TRACKER_REJECTED",
    });
  });

  test("says how long it waited for a server that is silent", async () => {
    script = [silence];
    await expect(api.call({ ...get, timeoutMs: 50 }, schema)).rejects.toMatchObject({
      code: "TRACKER_UNAVAILABLE",
      message: expect.stringContaining("within 0.05 s"),
    });
  });

  test("takes a page for no answer", async () => {
    script = [(_, response) => response.end("<html>Log in</html>")];
    await expect(api.call({ ...get, once: true }, schema)).rejects.toMatchObject({
      code: "TRACKER_UNAVAILABLE",
      message: expect.stringContaining("no answer of MLflow's"),
    });
  });

  test("follows no redirect, which would turn a POST into a GET", async () => {
    script = [(_, response) => response.writeHead(301, { location: "/elsewhere" }).end()];
    const post = { verb: "POST", method: "runs/update", body: {}, once: true } as const;
    await expect(api.call(post, schema)).rejects.toMatchObject({ code: "TRACKER_UNAVAILABLE" });
    expect(heard).toHaveLength(1);
  });

  test("names the server that is away, and why", async () => {
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    await expect(settle(api.call(get, schema))).rejects.toMatchObject({
      code: "TRACKER_UNAVAILABLE",
      message: expect.stringMatching(`127.0.0.1:${port} does not answer: .*ECONNREFUSED`),
    });
  });

  test("ends what is under way when it is closed, and answers nothing afterwards", async () => {
    script = [silence];
    const asking = api.call(get, schema).catch((error: unknown) => error);
    await expect.poll(() => heard.length).toBe(1);
    api.close();
    expect(await asking).toMatchObject({ code: "TRACKER_UNAVAILABLE" });
    await expect(api.call(get, schema)).rejects.toMatchObject({ code: "TRACKER_UNAVAILABLE" });
    expect(heard).toHaveLength(1);
  });

  test("lets a probe pass where calls hang", async () => {
    script = [silence, silence, silence, silence];
    const hanging = Array.from({ length: 5 }, () => api.call(get, schema).catch((error: unknown) => error));
    await expect.poll(() => heard.length).toBe(4);
    expect(await api.call({ ...get, atOnce: true }, schema)).toStrictEqual({ n: 7 });
    api.close();
    await Promise.all(hanging);
  });

  test("sends at most four calls at once", async () => {
    const open: ServerResponse[] = [];
    script = Array.from({ length: 10 }, (): Answer => (_, response) => open.push(response));
    const calls = Promise.all(Array.from({ length: 10 }, () => api.call(get, schema)));
    for (let answered = 0; answered < 10; answered += 1) {
      await expect.poll(() => open.length).toBeGreaterThan(0);
      expect(heard.length - answered).toBeLessThanOrEqual(4);
      open.shift()?.end(`{"n": 7}`);
    }
    expect(await calls).toHaveLength(10);
  });
});
