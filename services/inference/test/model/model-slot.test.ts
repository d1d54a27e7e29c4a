import { expect, it } from "vitest";
import { createModelSlot } from "../../src/model/model-slot.ts";
import { constantModel, promotionOf, quietLog } from "../fakes.ts";

const championOf = (epoch: number) => ({ promotion: promotionOf(epoch), model: constantModel(epoch) });

it("has nothing to borrow before the first champion", () => {
  const slot = createModelSlot(quietLog());
  expect([slot.borrow(), slot.current()]).toEqual([null, null]);
});

it("lends the champion of the moment, with the promotion it is served under", () => {
  const slot = createModelSlot(quietLog());
  slot.switchTo(championOf(1));
  const before = slot.borrow();
  slot.switchTo(championOf(2));
  const after = slot.borrow();
  expect([before?.promotion.epoch, after?.promotion.epoch]).toEqual([1, 2]);
});

it("closes a replaced model when its last loan was given back, not before", async () => {
  const slot = createModelSlot(quietLog());
  const first = championOf(1);
  slot.switchTo(first);
  const loans = [slot.borrow(), slot.borrow()];
  slot.switchTo(championOf(2));
  expect(first.model.closed).toBe(false);
  loans[0]?.giveBack();
  loans[0]?.giveBack(); // Giving back twice counts once.
  expect(first.model.closed).toBe(false);
  loans[1]?.giveBack();
  expect(first.model.closed).toBe(true);
});

it("closes an idle model at once when it is replaced", () => {
  const slot = createModelSlot(quietLog());
  const first = championOf(1);
  slot.switchTo(first);
  slot.switchTo(championOf(2));
  expect(first.model.closed).toBe(true);
});

it("goes on when a replaced model cannot be closed", async () => {
  const slot = createModelSlot(quietLog());
  const stubborn = constantModel(1, { close: () => Promise.reject(new Error("stuck")) });
  slot.switchTo({ promotion: promotionOf(1), model: stubborn });
  slot.switchTo(championOf(2));
  expect(slot.current()?.promotion.epoch).toBe(2);
  await slot.close();
});

it("is empty after it was closed, and everything in it is closed", async () => {
  const slot = createModelSlot(quietLog());
  const first = championOf(1);
  slot.switchTo(first);
  await slot.close();
  expect([slot.current(), first.model.closed]).toEqual([null, true]);
});
