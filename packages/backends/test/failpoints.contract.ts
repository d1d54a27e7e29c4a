import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { loadConfig } from "@flts/common/service/config";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Backends, backendSettings, connectBackends } from "../src/connect.ts";

const all = ["put", "swap", "artifact", "publish", "commit"];

describe("a process with a failpoint", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "flts-failpoint-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  /** Runs the small pipeline in a process group of its own, as its failpoints may kill the whole group. */
  const run = async (
    environment: Readonly<Record<string, string>>,
    onStarted: (child: ChildProcess) => void = () => undefined,
  ) => {
    const child = fork(new URL("./failpoints-child.ts", import.meta.url), [], {
      env: { ...process.env, FLTS_HOME: home, ...environment },
      execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
      detached: true,
    });
    const steps: unknown[] = [];
    child.on("message", (step) => steps.push(step));
    onStarted(child);
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    return { steps, signal };
  };
  const inspect = async <Result>(look: (backends: Backends) => Promise<Result>): Promise<Result> => {
    const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));
    try {
      return await look(backends);
    } finally {
      await backends.close();
    }
  };
  const content = () =>
    inspect(async ({ store }) => {
      const object = await store.get({ bucket: "dataset", key: "folder/object" });
      return object && Buffer.from(object.bytes).toString();
    });

  test("lives when nothing meets the place", async () => {
    expect(await run({ FLTS_FAILPOINT: "before:put:elsewhere/**" })).toStrictEqual({
      steps: all,
      signal: null,
    });
  });

  test("dies before the operation: nothing is done", async () => {
    const { steps, signal } = await run({ FLTS_FAILPOINT: "before:swap:dataset/**" });
    expect({ steps, signal }).toStrictEqual({ steps: ["put"], signal: "SIGKILL" });
    expect(await content()).toBe("1");
  });

  test("dies after the operation: it is done, but nobody heard", async () => {
    const { steps, signal } = await run({ FLTS_FAILPOINT: "after:put:dataset/**#2" });
    expect({ steps, signal }).toStrictEqual({ steps: ["put"], signal: "SIGKILL" });
    expect(await content()).toBe("2");
  });

  test("dies around messages and in the tracker, too", async () => {
    const places = [
      "before:put-artifact:LINEAR/*",
      "before:publish:training-data",
      "after:commit:training-data",
    ];
    for (const [index, place] of places.entries()) {
      const { steps, signal } = await run({ FLTS_FAILPOINT: place, FLTS_FAILPOINT_SCOPE: "process" });
      expect({ steps, signal }).toStrictEqual({ steps: all.slice(0, index + 2), signal: "SIGKILL" });
    }
    const [lag] = await inspect(({ log }) => log.lag("train", ["training-data"]));
    expect(lag?.committed).toBe(lag?.end);
  });

  test("dies once when it leaves a marker: the same environment survives the restart", async () => {
    const marker = join(home, "died");
    const environment = { FLTS_FAILPOINT: "after:publish", FLTS_FAILPOINT_FILE: marker };
    expect(await run(environment)).toMatchObject({ signal: "SIGKILL" });
    expect(existsSync(marker)).toBe(true);
    expect(await run(environment)).toStrictEqual({ steps: all, signal: null });
  });

  test("counts no operation while the marker is there", async () => {
    const marker = join(home, "not-yet");
    await writeFile(marker, "");
    const environment = { FLTS_FAILPOINT: "after:put-artifact", FLTS_FAILPOINT_FILE: marker };
    const { steps, signal } = await run(environment);
    expect({ steps, signal }).toStrictEqual({ steps: all, signal: null });
    await rm(marker);
    expect(await run(environment)).toMatchObject({ signal: "SIGKILL" });
  });

  test("stands still until it is told to go on", async () => {
    const marker = join(home, "stopped");
    const environment = {
      FLTS_FAILPOINT: "before:publish",
      FLTS_FAILPOINT_FILE: marker,
      FLTS_FAILPOINT_ACTION: "stop",
      FLTS_FAILPOINT_SCOPE: "process",
    };
    let child: ChildProcess | undefined;
    const ended = run(environment, (started) => {
      child = started;
    });
    await vi.waitUntil(() => isStopped(child?.pid), { timeout: 60_000 });
    expect(existsSync(marker)).toBe(true);
    child?.kill("SIGCONT");
    expect(await ended).toStrictEqual({ steps: all, signal: null });
  });
});

const isStopped = (pid?: number): boolean =>
  pid !== undefined && /\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
