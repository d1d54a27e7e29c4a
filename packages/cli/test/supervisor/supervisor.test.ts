import type { LogLine } from "@flts/cli/supervisor/log-line";
import type { SupervisorDeps } from "@flts/cli/supervisor/supervised";
import { createSupervisor } from "@flts/cli/supervisor/supervisor";
import { createManualClock } from "@flts/testing/manual-clock";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, test } from "vitest";
import { createFakeProcesses, type FakeOptions } from "./fake-processes.ts";

function setUp(options?: FakeOptions) {
  const processes = createFakeProcesses(options);
  const clock = createManualClock();
  const texts: string[] = [];
  const lines: [string, LogLine][] = [];
  const restarts: [name: string, reason: string][] = [];
  const deps: SupervisorDeps = {
    spawn: processes.spawn,
    clock,
    random: createSeededRandom(1),
    onText: (name, text) => void texts.push(`${name}: ${text}`),
    onLine: (name, line) => void lines.push([name, line]),
    onRestart: (name, reason) => void restarts.push([name, reason]),
  };
  return { processes, clock, texts, lines, restarts, supervisor: createSupervisor(deps) };
}

const spec = (name: string) => ({
  name,
  module: `@flts/${name}/main`,
  environment: { PORT: "0", METRICS_PORT: "0" },
});
const readyLine = { level: "info", event: "service_ready", port: 4711, metricsPort: 4712 };

test("a service is ready when it says so, and its lines are heard", async () => {
  const { processes, supervisor, texts, lines } = setUp();
  const gateway = supervisor.start(spec("gateway"));
  const first = await processes.nth(0);
  first.say("warming up");
  first.say(readyLine);
  expect((await gateway.ready).fields).toEqual({ port: 4711, metricsPort: 4712 });
  expect(texts).toEqual(["gateway: warming up", `gateway: ${JSON.stringify(readyLine)}`]);
  expect(lines.map(([name, { event }]) => [name, event])).toEqual([["gateway", "service_ready"]]);
});

test("what is started while the tree is taken down, or after, does not begin", async () => {
  const { processes, supervisor } = setUp();
  supervisor.start(spec("gateway"));
  const stopped = supervisor.stop();
  expect(() => supervisor.start(spec("eval"))).toThrow("the tree is being taken down");
  await stopped;
  expect(() => supervisor.run(spec("preprocess"))).toThrow("the tree is being taken down");
  expect(processes.started.map(({ spec: { name } }) => name)).toEqual(["gateway"]);
});

test("a service that dies is started again on the ports it had", async () => {
  const { processes, supervisor, clock, restarts } = setUp();
  supervisor.start(spec("gateway"));
  const first = await processes.nth(0);
  first.say(readyLine);
  first.exit({ signal: "SIGKILL" });
  await clock.advance(250);
  const second = await processes.nth(1);
  expect(second.spec.environment).toEqual({ PORT: "4711", METRICS_PORT: "4712" });
  expect(restarts).toEqual([["gateway", "gateway was ended by SIGKILL"]]);
});

test("a service that keeps dying waits longer each time, up to ten seconds", async () => {
  const { processes, supervisor, clock } = setUp();
  supervisor.start(spec("eval"));
  for (let life = 0; life < 10; life++) {
    (await processes.nth(life)).exit({ code: 1 });
    await clock.advance(Math.min(250 * 2 ** life, 10_000) / 2 - 1);
    expect(processes.started).toHaveLength(life + 1);
    await clock.advance(10_000);
  }
});

test("a service that was well for half a minute is started again at once", async () => {
  const { processes, supervisor, clock } = setUp();
  supervisor.start(spec("eval"));
  for (let life = 0; life < 5; life++) {
    (await processes.nth(life)).exit({ code: 1 });
    await clock.advance(10_000);
  }
  await clock.advance(30_000);
  (await processes.nth(5)).exit({ code: 1 });
  await clock.advance(250);
  expect(processes.started).toHaveLength(7);
});

test("a wrong configuration is final and ends everything with the line of the service", async () => {
  const { processes, supervisor, clock } = setUp();
  const train = supervisor.start(spec("train"));
  const process = await processes.nth(0);
  process.say({
    level: "error",
    event: "config_invalid",
    code: "CONFIG_INVALID",
    error: 'MODEL_TYPE = "X": must be one of LINEAR',
  });
  process.exit({ code: 78 });
  const failure = { code: "CONFIG_INVALID", message: 'train: MODEL_TYPE = "X": must be one of LINEAR' };
  await expect(supervisor.fatal).rejects.toMatchObject(failure);
  await expect(train.ready).rejects.toMatchObject(failure);
  await clock.advance(60_000);
  expect(processes.started).toHaveLength(1);
});

test("all are told to stop at once, and one that has ended by itself is not started again: Ctrl-C in a terminal reaches every process", async () => {
  const { processes, supervisor, clock, restarts } = setUp({ obedient: false });
  for (const name of ["gateway", "train", "eval"]) supervisor.start(spec(name));
  const stopped = supervisor.stop();
  expect(processes.started.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM"], ["SIGTERM"]]);
  (await processes.nth(0)).exit({ code: 0 });
  await clock.advance(10_000);
  for (const { exit } of processes.started) exit({ code: 0 });
  await stopped;
  await clock.advance(60_000);
  expect(processes.started).toHaveLength(3);
  expect(restarts).toEqual([]);
});

test("a service that does not stop is killed", async () => {
  const { processes, supervisor, clock } = setUp({ obedient: false });
  supervisor.start(spec("train"));
  const process = await processes.nth(0);
  const stopped = supervisor.stop();
  await clock.advance(30_000);
  await stopped;
  expect(process.signals).toEqual(["SIGTERM", "SIGKILL"]);
});

test("stopping while a service waits to be started again does not wait for it", async () => {
  const { processes, supervisor, restarts } = setUp();
  supervisor.start(spec("eval"));
  (await processes.nth(0)).exit({ code: 1 });
  await expect.poll(() => restarts).toHaveLength(1);
  await supervisor.stop();
  expect(processes.started).toHaveLength(1);
});

test("a job is done when its process ends well", async () => {
  const { processes, supervisor } = setUp();
  const job = supervisor.run(spec("preprocess"));
  (await processes.nth(0)).exit({ code: 0 });
  await expect(job.done).resolves.toBeUndefined();
});

test("a job that says what is wrong is not tried again", async () => {
  const { processes, supervisor, clock } = setUp();
  const job = supervisor.run(spec("preprocess"));
  const process = await processes.nth(0);
  process.say({ level: "error", event: "failure", code: "CSV_INVALID", error: "A.csv, line 3: no time" });
  process.exit({ code: 1 });
  await expect(job.done).rejects.toMatchObject({
    code: "CSV_INVALID",
    message: "preprocess: A.csv, line 3: no time",
  });
  await clock.advance(60_000);
  expect(processes.started).toHaveLength(1);
});

test("a job that was killed is run again", async () => {
  const { processes, supervisor, clock } = setUp();
  const job = supervisor.run(spec("preprocess"));
  (await processes.nth(0)).exit({ signal: "SIGKILL" });
  await clock.advance(250);
  (await processes.nth(1)).exit({ code: 0 });
  await expect(job.done).resolves.toBeUndefined();
});

test("a process that dies without a log line is described by the error it wrote", async () => {
  const { processes, supervisor } = setUp();
  const job = supervisor.run(spec("preprocess"));
  const process = await processes.nth(0);
  for (const text of ["file:///x.ts:1", "SyntaxError: Unexpected token", "    at x", "Node.js v24"])
    process.say(text);
  process.exit({ code: 1 });
  await expect(job.done).rejects.toThrow("preprocess: SyntaxError: Unexpected token");
});
