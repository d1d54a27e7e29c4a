import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { readDocument } from "@flts/common/claim-check/documents";
import { modelSelected } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { promotion } from "@flts/common/contracts/promotion";
import { parseEvent } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { pipelineTopics } from "@flts/common/stage/topics";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { afterAll, beforeAll, expect, test } from "vitest";

/**
 * The whole tree of `flts up` is killed at a named operation, and started again. Afterwards an auditor that reads only the store and the log finds
 * each claim ended in exactly one promotion.
 */
const places = [
  "after:put:dataset/*#1",
  "before:create:processed-data/**",
  "after:create:processed-data/**#1",
  "after:put:processed-data/*.meta.json#1",
  "before:publish:training-data",
  "after:publish:training-data",
  "before:publish:model-training#1",
  "after:put-artifact:LINEAR/model.onnx",
  "after:put-artifact:LINEAR/manifest.json",
  "before:create:model-promotion/candidates/**",
  "after:create:model-promotion/candidates/**",
  "before:publish:model-training#2",
  "after:publish:model-training#2",
  "before:commit:training-data",
  "after:create:model-promotion/decisions/**",
  "after:create:model-promotion/**/history/**",
  "after:create:model-promotion/global/current.json",
  "before:publish:model-selected",
  "after:publish:model-selected",
  "before:commit:model-training#2",
] as const;

let folder: string;
let data: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flts-kill-"));
  data = join(folder, "data");
  const station = synthesizeStation({ seed: 9, rows: 900, startMs: Date.UTC(2024, 0, 8) });
  mkdirSync(data);
  writeFileSync(join(data, "a.csv"), toCsv(sliceRows(station, 0, 700)));
  writeFileSync(join(data, "a_test.csv"), toCsv(sliceRows(station, 700)));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(places)("killed %s", async (place) => {
  const home = mkdtempSync(join(folder, "home-"));
  const marker = join(home, "died");
  const environment = { FLTS_FAILPOINT: place, FLTS_FAILPOINT_FILE: marker };
  expect(await up(home, environment).ended).toBe("SIGKILL");
  expect(existsSync(marker), "the place was reached").toBe(true);

  const second = up(home, environment);
  const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));
  try {
    await expect.poll(() => isSettled(backends), { timeout: 40_000, interval: 100 }).toBe(true);
    second.stop();
    expect(await second.ended).toBe(0);
    await audit(backends);
  } finally {
    second.kill();
    await backends.close();
  }
});

interface Tree {
  /** Exit code of `flts up`, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
  stop(): void;
  kill(): void;
}

/** `flts up` as the leader of a process group of its own. */
function up(home: string, environment: Record<string, string>): Tree {
  const parameters = ["up", "--home", home, "--data", data, "--dataset", "a", "--families", "LINEAR"];
  const ports = ["--gateway-port", "0", "--inference-port", "0", "--eval-port", "0"];
  const child = spawn(
    process.execPath,
    ["--conditions=source", "packages/cli/src/main.ts", ...parameters, ...ports],
    {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, FLTS_DATASET_DIR: "", EMBEDDED_LOG_LEASE_MS: "500", ...environment },
    },
  );
  return {
    ended: new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? signal));
    }),
    stop: () => void child.kill("SIGTERM"),
    kill() {
      try {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

/** Promoted, and nothing left to handle for trainer and eval. */
async function isSettled({ store, log }: Backends): Promise<boolean> {
  if ((await store.head({ bucket: "model-promotion", key: keys.rootHead })) === null) return false;
  for (const [group, topic] of [
    ["train-linear", "training-data"],
    ["eval-promoter", "model-training"],
  ] as const)
    for (const { committed, end } of await log.lag(group, [topic]))
      if ((committed ?? 0n) !== end) return false;
  return true;
}

async function audit({ store, log }: Backends): Promise<void> {
  const bucket = "model-promotion";
  const keysOf = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of store.list(bucket, prefix)) found.push(key);
    return found;
  };
  expect(await keysOf("candidates/")).toHaveLength(1);
  expect(await keysOf("decisions/")).toHaveLength(1);
  expect(await keysOf(keys.historyOf(""))).toEqual([keys.history("", 1)]);
  const read = async (key: string) =>
    (await readDocument(store, { bucket, key }, promotion, "POINTER_INVALID"))?.document;
  const head = await read(keys.head(""));
  expect(head).toMatchObject({ epoch: 1, model_type: "LINEAR" });
  expect(await read(keys.history("", 1))).toEqual(head);
  expect(await read(keys.rootHead)).toEqual(head);

  const announced = new Set<string>();
  for await (const { value } of log.browse(modelSelected.name))
    announced.add(parseEvent(modelSelected, value).promotion_id);
  expect([...announced]).toEqual([head?.promotion_id]);
  for (const { name } of pipelineTopics(1).filter((topic) => topic.name.startsWith("DLQ-")))
    for await (const letter of log.browse(name)) expect(letter, `a dead letter on ${name}`).toBeUndefined();
}
