import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** The life of a real process, from its settings to its exit code. */

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

interface Service {
  readonly child: ChildProcess;
  readonly lines: readonly Line[];
  /** Resolves with the first line of that event, also when it was written already. */
  said(event: string): Promise<Line>;
  /** Resolves with the exit code once all lines were read. */
  readonly ended: Promise<number | null>;
}

function start(environment: Readonly<Record<string, string>>): Service {
  const child = spawn(
    process.execPath,
    ["--conditions=source", fileURLToPath(new URL("example-service.ts", import.meta.url))],
    {
      env: { METRICS_PORT: "0", HOST: "127.0.0.1", SHUTDOWN_TIMEOUT_MS: "5000", ...environment },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const lines: Line[] = [];
  const waiting: { readonly event: string; readonly resolve: (line: Line) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    for (const { event, resolve } of waiting) if (event === line.event) resolve(line);
  });
  return {
    child,
    lines,
    said: (event) =>
      new Promise((resolve) => {
        const line = lines.find((earlier) => earlier.event === event);
        if (line === undefined) waiting.push({ event, resolve });
        else resolve(line);
      }),
    ended: once(child, "close").then(([code]) => code as number | null),
  };
}

const stops = ({ lines }: Service): unknown[] =>
  lines
    .filter(({ event, stopping }) => event === "service_stop" && stopping !== undefined)
    .map(({ stopping }) => stopping);

describe.concurrent("a service", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "ends with code 0 on %s, stopping in the reverse order of its start",
    async (signal) => {
      const service = start({});
      expect(await service.said("service_ready")).toMatchObject({ service: "example", answer: 42 });
      service.child.kill(signal);
      expect(await service.ended).toBe(0);
      expect(stops(service)).toEqual(["second", "first"]);
      expect(service.lines[0]).toMatchObject({ event: "service_start", pid: service.child.pid });
    },
  );

  test("is not ready while it stops, and a second signal changes nothing; a stop that hangs is cut off with code 1", async () => {
    const service = start({ BEHAVIOUR: "stuck-stop", SHUTDOWN_TIMEOUT_MS: "1500" });
    const { metricsPort } = await service.said("service_ready");
    const readiness = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${String(metricsPort)}/readyz`)).status;
    expect(await readiness()).toBe(200);
    service.child.kill("SIGTERM");
    await service.said("service_stop");
    expect(await readiness()).toBe(503);
    service.child.kill("SIGTERM");
    expect(await service.ended).toBe(1);
    expect(service.lines.filter(({ event }) => event === "service_stop")).toHaveLength(1);
    expect(service.lines.at(-1)).toMatchObject({
      event: "service_crash",
      error: "did not stop within 1500 ms",
    });
  });

  test.each(["uncaught", "unhandled"])(
    "ends with code 1 on an %s error, after stopping in order",
    async (behaviour) => {
      const service = start({ BEHAVIOUR: behaviour });
      expect(await service.ended).toBe(1);
      expect(await service.said("service_crash")).toMatchObject({
        code: "UNCLASSIFIED",
        error: "x is not a function",
      });
      expect(stops(service)).toEqual(["second", "first"]);
    },
  );

  test.each(["failing-start", "failing-job", "fatal"])(
    "that ends in a %s says who must do what, with code 1",
    async (behaviour) => {
      const service = start({ BEHAVIOUR: behaviour });
      expect(await service.ended).toBe(1);
      expect(service.lines.filter(({ event }) => event === "service_crash")).toMatchObject([
        {
          code: "BUCKET_MISSING",
          kind: "fatal",
          error: "create the bucket",
          causes: ["Error: NoSuchBucket"],
        },
      ]);
      expect(stops(service)).toEqual(["second", "first"]);
    },
  );

  test("whose stop fails goes on stopping, and ends with code 1", async () => {
    const service = start({ BEHAVIOUR: "failing-stop" });
    await service.said("service_ready");
    service.child.kill("SIGTERM");
    expect(await service.ended).toBe(1);
    expect(await service.said("service_crash")).toMatchObject({
      stopping: "failing",
      error: "the log is gone",
    });
    expect(stops(service)).toEqual(["second", "first"]);
  });

  test("that is a job ends with code 0 when it is done", async () => {
    const service = start({ BEHAVIOUR: "job" });
    expect(await service.ended).toBe(0);
    expect(stops(service)).toEqual(["second", "first"]);
  });

  test("with wrong settings ends with code 78 and one line that lists every fault, secrets hidden", async () => {
    const service = start({ BEHAVIOUR: "dance", RETRIES: "none", METRICS_PORT: "x", TOKEN: "s3cret" });
    expect(await service.ended).toBe(78);
    expect(service.lines).toMatchObject([{ event: "config_invalid", code: "CONFIG_INVALID" }]);
    const error = String(service.lines[0]?.["error"]);
    for (const fault of [
      "3 fault(s)",
      'BEHAVIOUR = "dance": must be one of serve, ',
      "RETRIES = ",
      "METRICS_PORT = ",
    ])
      expect(error).toContain(fault);
    expect(error).not.toContain("s3cret");
  });

  test("goes with the parent that holds its standard input, and stops in order", async () => {
    const service = start({ FLTS_PARENT: "1" });
    await service.said("service_ready");
    service.child.stdin?.end();
    expect(await service.ended).toBe(0);
    expect(stops(service)).toEqual(["second", "first"]);
  });
});
