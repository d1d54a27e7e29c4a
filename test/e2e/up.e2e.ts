import { afterAll, beforeAll, expect, test } from "vitest";
import { makeScratch, type Running, startFlts, stationCsv } from "./flts.ts";

/** `flts up` as its users meet it: over HTTP. */

interface Up {
  readonly endpoints: readonly {
    readonly name: string;
    readonly url: string | null;
    readonly metricsUrl: string;
  }[];
}

const scratch = makeScratch();
let running: Running;
let up: Up;

beforeAll(async () => {
  const data = ["--data", scratch.dataset(stationCsv(600)), "--dataset", "a", "--families", "LINEAR"];
  const ports = ["--gateway-port", "0", "--inference-port", "0", "--eval-port", "0"];
  running = startFlts(["up", "--json", "--home", scratch.home(), ...data, ...ports]);
  up = JSON.parse(await running.firstLine) as Up;
});

afterAll(async () => {
  running.stop();
  await running.ended;
  scratch.remove();
});

const endpoint = (name: string) => {
  const found = up.endpoints.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new Error(`no ${name} among ${up.endpoints.map((one) => one.name).join(", ")}`);
  return found;
};

const ask = (service: string, path: string, init?: RequestInit): Promise<Response> =>
  fetch(`${endpoint(service).url}${path}`, init);

const predict = (body: unknown): Promise<Response> =>
  ask("inference", "/predict", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("every service is alive, ready and measured", async () => {
  for (const { name, metricsUrl } of up.endpoints) {
    const origin = new URL(metricsUrl).origin;
    expect((await fetch(`${origin}/healthz`)).status, name).toBe(200);
    await expect.poll(async () => (await fetch(`${origin}/readyz`)).status, { timeout: 15_000 }).toBe(200);
    expect(await (await fetch(metricsUrl)).text(), name).toContain("process_resident_memory_bytes");
  }
  for (const service of ["gateway", "eval", "inference"]) {
    expect((await ask(service, "/healthz")).status).toBe(200);
    expect((await ask(service, "/readyz")).status).toBe(200);
  }
  expect((await ask("inference", "/ready")).status).toBe(200);
});

test("the promoted model answers in raw units, and refuses with the reference's words", async () => {
  await expect.poll(async () => (await ask("inference", "/ready")).status, { timeout: 15_000 }).toBe(200);
  const answer = (await (await predict({})).json()) as Record<string, unknown>;
  expect(answer).toMatchObject({ status: "SUCCESS", identifier: "default" });
  const [step] = answer["predictions"] as Record<string, number>[];
  expect(step?.["down"]).toBeGreaterThan(1e5);
  expect(step?.["down_lower"]).toBeLessThanOrEqual(step?.["down"] ?? 0);

  const same = {
    data: { ts: Array.from({ length: 30 }, () => "2018-02-06 00:00:00"), down: Array(30).fill(1) },
  };
  const refusal = await predict(same);
  expect(refusal.status).toBe(400);
  expect(await refusal.json()).toEqual({
    detail:
      "All 30 timestamps are identical (2018-02-06 00:00:00). Expected unique timestamps for time-series inference.",
  });
});

const columns = (stationCsv(30).split("\n")[0] ?? "").split(",").slice(1);
const times = Array.from(
  { length: 30 },
  (_, row) => `2024-01-09 ${new Date(row * 120_000).toISOString().slice(11, 19)}`,
);
const rows = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  data: { ts: times, ...Object.fromEntries(columns.map((name) => [name, times.map(() => 1)])), ...changes },
});

test.each([
  ["duplicate times", rows({ ts: times.with(1, times[0] ?? "") }), 400],
  ["duplicate times out of order", rows({ ts: times.with(20, times[0] ?? "") }), 400],
  ["a time that is none", rows({ ts: times.with(4, "yesterday") }), 400],
  ["no time", rows({ ts: undefined }), 400],
  ["text for a number", rows({ down: times.map(() => "many") }), 400],
  ["a column too few", rows({ up: undefined }), 400],
  ["a column that is too short", rows({ down: [1, 2] }), 400],
  ["no rows", { data: { ts: [] } }, 400],
  ["data that is a list", { data: [1] }, 400],
  ["more than is read", rows({ note: "x".repeat(11 * 1024 ** 2) }), 413],
])("a request with %s is refused with a sentence", async (_name, body, status) => {
  const refusal = await predict(body);
  expect(refusal.status).toBe(status);
  expect(await refusal.json()).toEqual({ detail: expect.stringMatching(/\w+ \w+/) });
});

test("rows in any order are sorted, and a missing cell is filled in", async () => {
  const shuffled = [...times.slice(10), ...times.slice(0, 10)];
  expect((await predict(rows({ ts: shuffled }))).status).toBe(200);
  const answer = await predict(rows({ down: [null, ...times.slice(1).map(() => 1)] }));
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ status: "SUCCESS" })]);
});

test("the gateway takes and gives objects, and keeps to its buckets", async () => {
  const upload = (path: string, body: string) => ask("gateway", `/upload/${path}`, { method: "POST", body });
  expect(await (await upload("dataset/b.csv", "time,down\n")).json()).toEqual({
    status: "success",
    bucket: "dataset",
    object_name: "b.csv",
    size_bytes: 10,
  });
  expect(await (await ask("gateway", "/download/dataset/b.csv")).text()).toBe("time,down\n");
  expect((await ask("gateway", "/download/dataset/none.csv")).status).toBe(404);
  expect((await upload("model-promotion/current.json", "{}")).status).toBe(403);
  expect((await upload("dataset/..%2f..%2fsecret", "x")).status).toBe(400);
});

test("told to stop, it ends with code 0, and no connection that is kept alive holds it up", async () => {
  const begun = performance.now();
  running.stop();
  expect((await running.ended).code).toBe(0);
  expect(performance.now() - begun).toBeLessThan(10_000);
});
