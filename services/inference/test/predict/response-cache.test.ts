import { createTable } from "@flts/forecasting/table/table";
import { afterEach, beforeEach, expect, it } from "vitest";
import { constantModel, promotionOf, rowsOf } from "../fakes.ts";
import { createService } from "../service.ts";

const service = (cacheBytes: number) => createService({ cacheBytes });
let cached = service(10_000);
beforeEach(() => {
  cached = service(10_000);
});
afterEach(() => cached.app.close());

const ask = async (body: unknown, url = "/predict") => (await cached.post(body, url)).json();

it("answers a request of the same bytes again without computing", async () => {
  let computed = 0;
  const { forecast } = constantModel(7);
  const counting = constantModel(7, { forecast: (...args) => (computed++, forecast(...args)) });
  cached.slot.switchTo({ promotion: promotionOf(2), model: counting });
  const [first, second] = [await ask({ data: rowsOf(2) }), await ask({ data: rowsOf(2) })];
  expect([first.status, first.cached, second.status, second.cached, computed]).toEqual([
    "SUCCESS",
    false,
    "SUCCESS_CACHED",
    true,
    1,
  ]);
  expect(second.predictions).toEqual(first.predictions);
  expect(second.req_id).not.toBe(first.req_id);
  expect((await cached.get("/queue_stats")).json().served_cached).toBe(1);
});

it("tells requests apart by body and by query", async () => {
  await ask({ data: rowsOf(2) });
  expect((await ask({ data: rowsOf(3) })).cached).toBe(false);
  expect((await ask({ data: rowsOf(2) }, "/predict?inference_length=2")).predictions).toHaveLength(2);
});

it("forgets what another champion said", async () => {
  await ask({ data: rowsOf(2) });
  cached.slot.switchTo({ promotion: promotionOf(2), model: constantModel(1) });
  expect(await ask({ data: rowsOf(2) })).toMatchObject({ cached: false, run_id: "run-2" });
});

const frame = () =>
  createTable(
    Float64Array.of(Date.UTC(2018, 1, 5), Date.UTC(2018, 1, 6)),
    ["down", "up"],
    [new Float64Array(2), new Float64Array(2)],
  );

it("forgets what followed from another table", async () => {
  cached.state.frame = frame();
  expect([(await ask({})).cached, (await ask({})).cached]).toEqual([false, true]);
  cached.state.frame = frame();
  expect((await ask({})).cached).toBe(false);
});

it("keeps no refusals", async () => {
  expect([(await ask({ data: [1] })).detail, (await ask({ data: [1] })).detail]).toEqual(
    Array(2).fill("'data' must be an object mapping column names to arrays"),
  );
});

it("makes room by forgetting what was asked for longest ago", async () => {
  const { length } = JSON.stringify(await ask({ data: rowsOf(2) }));
  const small = service(2.5 * length);
  const flags: boolean[] = [];
  for (const rows of [2, 3, 2, 4, 2, 3])
    flags.push((await small.post({ data: rowsOf(rows) })).json().cached as boolean);
  expect(flags).toEqual([false, false, true, false, true, false]);
  await small.app.close();
});

it("is off unless an operator turns it on", async () => {
  const plain = createService();
  for (const _ of [1, 2]) expect((await plain.post({ data: rowsOf(2) })).json().cached).toBe(false);
  await plain.app.close();
});
