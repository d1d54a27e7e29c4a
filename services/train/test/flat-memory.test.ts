import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteLog } from "@flts/backends/embedded/sqlite-log";
import { createSystemClock } from "@flts/backends/system-clock";
import { trainingData } from "@flts/common/contracts/events";
import { DEAD_LETTER_MAX_BYTES, deadLetterTopic } from "@flts/common/stage/dead-letter";
import { startStage } from "@flts/common/stage/runner";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { usedBytes } from "@flts/testing/used-memory";
import { afterAll, expect, test } from "vitest";
import { trainStage } from "../src/train-stage.ts";
import { createBench, GROUP } from "./bench.ts";

const folder = mkdtempSync(join(tmpdir(), "flts-flat-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MIB = 1024 ** 2;
const MESSAGE_BYTES = 10 * MIB;
const MESSAGES = 12;

test("huge messages are dead-lettered one after the other, and memory does not grow with their number", async () => {
  const bench = await createBench();
  const log = await createSqliteLog({
    file: join(folder, "log.db"),
    clock: createSystemClock(),
    leaseMs: 3_000,
    retentionMs: 3_600_000,
    retentionBytes: 4 * 1024 * MIB,
  });
  const letters = deadLetterTopic(trainingData.name);
  await log.ensureTopics([
    { name: trainingData.name, partitions: 1, maxMessageBytes: MESSAGE_BYTES + MIB },
    { name: letters, partitions: 1, maxMessageBytes: DEAD_LETTER_MAX_BYTES },
  ]);
  for (let index = 0; index < MESSAGES; index++)
    await log.publish([{ topic: trainingData.name, key: null, value: Buffer.alloc(MESSAGE_BYTES, 0x5b) }]);
  const held: number[] = [];
  const stage = await startStage(trainStage, {
    log,
    deps: bench.deps(),
    clock: createSystemClock(),
    random: createSeededRandom(1),
    policy: defaultRetryPolicy,
    group: GROUP,
    report: () => held.push(usedBytes() / MIB),
    onFatal: (error) => expect.fail(String(error)),
  });
  const remaining = async (): Promise<number> =>
    (await log.lag(GROUP, [trainingData.name])).reduce(
      (sum, { committed, end }) => sum + Number(end - (committed ?? 0n)),
      0,
    );
  await expect.poll(remaining, { timeout: 60_000, interval: 100 }).toBe(0);
  await stage.stop();
  expect((await log.lag("nobody", [letters]))[0]?.end).toBe(BigInt(MESSAGES));
  await log.close();
  expect(held).toHaveLength(MESSAGES);
  // One message may be in hand, or two copies of it. Ten that stayed would be a hundred.
  const growth = Math.min(...held.slice(-2)) - Math.min(...held.slice(0, 2));
  expect(growth, `MiB in use: ${held.map(Math.round).join(" ")}`).toBeLessThan(50);
}, 120_000);
