import { FltsError } from "@flts/common/contracts/errors";
import { loggedBatch, loggedForecast, loggedLiveError } from "@flts/common/contracts/inference-log";
import { DEADLINE_HEADER } from "@flts/common/stage/deadline";
import { describe, expect, it } from "vitest";
import { constantModel, promotionOf } from "../fakes.ts";
import { tableFrom, tsOf } from "../live/lines.ts";
import { bucket, createWorld, table } from "./world.ts";

describe("a claimed table", () => {
  it("is forecast, logged in one object and told of once", async () => {
    const { startReplica, claim, told, partsOf, linesIn, settled } = await createWorld();
    const { events, metric } = startReplica();
    await claim(table);
    await settled(1);
    const [part] = await partsOf();
    const [live, record, ahead] = await linesIn(part ?? "");
    expect(loggedLiveError.parse(live)).toMatchObject({ rows_scored: 0, targets: {} });
    expect(loggedBatch.parse(record)).toMatchObject({
      identifier: "default",
      run_id: "run-1",
      model_type: "LINEAR",
      config_hash: "config-1",
      epoch: 1,
      replica: "inference-0",
      status: "SUCCESS",
      metrics: { overlap_rows: 3, mae_mean: 1, rows_predicted: 3 },
    });
    expect(loggedForecast.parse(ahead)).toMatchObject({ origin: tsOf(4), last: { down: 44 } });
    const { metrics } = loggedBatch.parse(record);
    expect(metrics.prediction_hash).toMatch(/^[0-9a-f]{16}$/);
    expect(await told()).toEqual([
      {
        v: 1,
        operation: "Inference",
        status: "SUCCESS",
        identifier: "",
        log_bucket: bucket,
        log_object_key: part,
        run_id: "run-1",
        model_type: "LINEAR",
        config_hash: "config-1",
        epoch: 1,
        rows: 3,
        prediction_hash: metrics.prediction_hash,
      },
    ]);
    expect(events()).toEqual(expect.arrayContaining(["predict_inference_end", "inference_log_write"]));
    expect(await metric("inference_batch_forecasts_total")).toEqual([{ outcome: "forecast", value: 1 }]);
  });

  it("that comes again is neither logged nor told of again, in another replica and on another day too", async () => {
    const { clock, startReplica, claim, told, partsOf, settled } = await createWorld();
    const first = startReplica();
    await claim(table);
    await settled(1);
    await first.stop();
    await clock.advance(26 * 60 * 60 * 1000);
    const second = startReplica();
    await claim(table);
    await settled(2);
    expect(await told()).toHaveLength(1);
    expect(await partsOf()).toHaveLength(1);
    expect(second.events()).toContain("duplicate_prediction_skip");
    expect(await second.metric("inference_batch_forecasts_total")).toEqual([
      { outcome: "duplicate", value: 1 },
    ]);
  });

  it("is forecast again by another champion", async () => {
    const { startReplica, claim, told, settled } = await createWorld();
    const replica = startReplica();
    await claim(table);
    await settled(1);
    replica.slot.switchTo({
      promotion: promotionOf(2, { manifest_sha256: "1".repeat(64) }),
      model: constantModel(43),
    });
    await claim(table);
    await settled(2);
    expect((await told()).map(({ run_id }) => run_id)).toEqual(["run-1", "run-2"]);
  });

  it.each(["put", "get", "head"] as const)(
    "is one object and one event after the store was away at any %s",
    async (operation) => {
      for (let calls = 0; calls < 6; calls++) {
        const { store, startReplica, claim, told, partsOf, linesIn, settled } = await createWorld();
        await claim(table);
        store.failLater(operation, calls);
        startReplica();
        await settled(1);
        store.failLater(operation, Number.POSITIVE_INFINITY);
        const [event, ...others] = await told();
        // After a death between an event and the note that it was published, the same event is published again.
        expect(new Set(others.map((other) => JSON.stringify(other)))).toEqual(
          new Set(others.length === 0 ? [] : [JSON.stringify(event)]),
        );
        expect(await partsOf()).toEqual([event?.log_object_key]);
        expect(await linesIn(event?.log_object_key ?? "")).toHaveLength(3);
      }
    },
  );

  it("is told of with the same event after a death between object and event", async () => {
    const { messageLog, startReplica, claim, told, partsOf, settled } = await createWorld();
    startReplica();
    await settled(0);
    await claim(table);
    messageLog.failNext("publish", new FltsError("LOG_UNAVAILABLE", "refused"));
    await settled(1);
    const events = await told();
    expect(events).toHaveLength(1);
    expect(await partsOf()).toEqual([events[0]?.log_object_key]);
  });

  it("leaves nothing behind where the upload of logs is off", async () => {
    const { startReplica, claim, told, partsOf, settled } = await createWorld();
    const { events } = startReplica({ environment: { INFERENCE_DISABLE_LOG_UPLOAD: "1" } });
    await claim(table);
    await settled(1);
    expect([await told(), await partsOf()]).toEqual([[], []]);
    expect(events()).toContain("predict_inference_end");
  });

  it("expires unhandled after its deadline", async () => {
    const { clock, attempts, startReplica, claim, told, settled } = await createWorld();
    startReplica();
    await claim(table, { [DEADLINE_HEADER]: String(clock.now() - 1) });
    await settled(1);
    expect(attempts.map(({ verdict }) => verdict.kind)).toEqual(["expire"]);
    expect(await told()).toEqual([]);
  });
});

describe("a station without a model", () => {
  it("keeps its tables waiting, with an alarm, until it has one", async () => {
    const { clock, attempts, startReplica, claim, told, settled } = await createWorld();
    const { slot } = startReplica({ epoch: 0 });
    await claim(table);
    await clock.advance(60_000);
    expect(attempts.length).toBeGreaterThan(1);
    expect(attempts.every(({ error }) => (error as FltsError).code === "MODEL_MISSING")).toBe(true);
    slot.switchTo({ promotion: promotionOf(1), model: constantModel(42) });
    await clock.advance(30_000);
    await settled(1);
    expect(await told()).toHaveLength(1);
  });

  it("lets them expire at their deadline", async () => {
    const { clock, attempts, startReplica, claim, settled } = await createWorld();
    startReplica({ epoch: 0 });
    await claim(table, { [DEADLINE_HEADER]: String(clock.now() + 15_000) });
    await clock.advance(60_000);
    await settled(1);
    expect(attempts.at(-1)?.verdict.kind).toBe("expire");
  });

  it("does not hold its partition for ever: after the grace they are dead letters", async () => {
    const { clock, startReplica, claim, deadLetters, settled } = await createWorld();
    startReplica({ epoch: 0, environment: { MODEL_MISSING_GRACE_MS: "60000" } });
    await claim(table);
    await clock.advance(120_000);
    await settled(1);
    expect(await deadLetters()).toEqual(["MODEL_MISSING"]);
  });
});

describe("live error", () => {
  it("scores a batch's forecast with the next table's rows, and shows it in every replica and after a restart", async () => {
    const { clock, startReplica, claim, partsOf, linesIn, settled } = await createWorld();
    const first = startReplica();
    await claim(table);
    await settled(1);
    await claim(tableFrom(5, [43, 41, 42, 45]));
    await settled(2);
    const expected = { rows: 4, mae: 1.25, rmse: Math.sqrt(11 / 4), coverage: 0.75 };
    const errors = { ...expected, skill: expect.closeTo(1 - Math.sqrt(11 / (1 + 9 + 4 + 1)), 12) };
    const records = await Promise.all((await partsOf()).map(linesIn));
    const live = records
      .map(([line]) => loggedLiveError.parse(line))
      .filter(({ rows_scored }) => rows_scored > 0);
    expect(live).toMatchObject([{ rows_scored: 4, targets: { down: errors } }]);
    await first.stop();
    const second = startReplica();
    await clock.advance(15_000);
    for (const name of ["rows", "mae", "rmse", "coverage", "skill"] as const)
      await expect
        .poll(() => second.metric(`inference_live_${name}`))
        .toEqual([{ identifier: "default", target: "down", value: errors[name] }]);
  });

  it("goes on after the log was away: the group is joined again", async () => {
    const { messageLog, startReplica, claim, told, settled } = await createWorld();
    messageLog.failNext("consume", new FltsError("LOG_UNAVAILABLE", "refused"), 2);
    const { isAlive } = startReplica();
    expect(isAlive()).toBe(false);
    await claim(table);
    await settled(1);
    expect([isAlive(), (await told()).length]).toEqual([true, 1]);
  });
});
