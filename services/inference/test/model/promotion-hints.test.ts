import { FltsError } from "@flts/common/contracts/errors";
import { modelSelected } from "@flts/common/contracts/events";
import { emit } from "@flts/common/contracts/topic";
import { deadLetterTopic } from "@flts/common/stage/dead-letter";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, expect, it } from "vitest";
import { hearPromotions, type PromotionHints } from "../../src/model/promotion-hints.ts";
import { promotionOf, recordingLog } from "../fakes.ts";

const started: PromotionHints[] = [];
afterEach(() => Promise.all(started.splice(0).map((hints) => hints.stop())));

function createHarness() {
  const clock = createManualClock();
  const memoryLog = createMemoryLog({ clock });
  const messageLog = withFaults(memoryLog);
  const { log, events } = recordingLog();
  const heard: (string | null)[] = [];
  const start = (group = "inference-promotions-a"): PromotionHints => {
    const hints = hearPromotions({
      messageLog: messageLog.port,
      clock,
      random: createSeededRandom(1),
      log,
      topic: modelSelected.name,
      group,
      ensureTopics: () => memoryLog.ensureTopics(pipelineTopics(1)),
      report: () => {},
      onHint: (identifier) => heard.push(identifier),
    });
    started.push(hints);
    return hints;
  };
  const publish = (identifier: string): Promise<void> =>
    memoryLog.publish([toMessage(emit(modelSelected, promotionOf(1, { identifier })))]);
  return { clock, memoryLog, messageLog, heard, events, start, publish, settled: () => clock.advance(0) };
}

it("asks for all heads when it has joined, and for one when that station's promotion comes", async () => {
  const { heard, start, publish, settled } = createHarness();
  start();
  await settled();
  await publish("a");
  await publish("");
  await settled();
  expect(heard).toEqual([null, "a", ""]);
});

it("lets every replica hear every promotion", async () => {
  const { heard, start, publish, settled } = createHarness();
  start("inference-promotions-a");
  start("inference-promotions-b");
  await settled();
  await publish("x");
  await settled();
  expect(heard).toEqual([null, null, "x", "x"]);
});

it.each([
  ["no JSON", "--envelope--"],
  ["a pointer of another system", JSON.stringify({ run_id: "x", model_type: "LSTM" })],
  ["a version to come", JSON.stringify({ ...promotionOf(1), v: 2 })],
])("ignores a foreign message, %s, with a warning, and hears the next one", async (_name, value) => {
  const { memoryLog, heard, events, start, publish, settled } = createHarness();
  const hints = start();
  await settled();
  await memoryLog.publish([{ topic: modelSelected.name, key: "k", value: Buffer.from(value) }]);
  await publish("a");
  await settled();
  expect([heard, hints.isAlive()]).toEqual([[null, "a"], true]);
  expect(events()).toEqual(["promotion_hint_ignored"]);
  for await (const letter of memoryLog.browse(deadLetterTopic(modelSelected.name)))
    expect.unreachable(String(letter.offset));
});

it("joins when a log that was down is back, and asks for all heads then", async () => {
  const { clock, messageLog, heard, start, settled } = createHarness();
  messageLog.failNext("consume", new FltsError("LOG_UNAVAILABLE", "no broker"), 3);
  const hints = start();
  await settled();
  expect([heard, hints.isAlive()]).toEqual([[], false]);
  await clock.advance(10_000);
  expect([heard, hints.isAlive()]).toEqual([[null], true]);
});

it("takes its group along when it stops", async () => {
  const { memoryLog, start, settled } = createHarness();
  const hints = start();
  await settled();
  const lag = () => memoryLog.lag("inference-promotions-a", [modelSelected.name]);
  expect((await lag())[0]?.committed).not.toBeNull();
  await hints.stop();
  expect((await lag())[0]?.committed).toBeNull();
});

it.each([0, 1, 2, 3])(
  "stops when told to %i turns after its start, while it joins its group",
  async (turns) => {
    const { start } = createHarness();
    const hints = start();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await expect(hints.stop()).resolves.toBeUndefined();
  },
);
