import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { predict } from "./forecasts.ts";
import { forward } from "./forward.ts";
import { installed, productionWithoutSecrets, remove, untilAllDone } from "./installation.ts";
import { kill, kubectl } from "./kubectl.ts";
import { eventsOf, isReady, linesOf, nameOf, type Pod, podsOf, restartsOf } from "./pods.ts";

/** What a cluster shows of a deployment that cannot work. */

describe("production values where nobody has made the Secrets", () => {
  beforeAll(async () => {
    await remove();
    await productionWithoutSecrets.install();
  }, 300_000);
  afterAll(() => remove(), 300_000);

  test.each([
    { app: "minio", secret: "flts-s3" },
    { app: "mlflow-postgres", secret: "flts-postgres" },
    { app: "gateway", secret: "flts-s3" },
    { app: "train-lstm", secret: "flts-s3" },
    { app: "eval", secret: "flts-promotion" },
    { app: "inference", secret: "flts-s3" },
  ])("$app waits, never started, and its events name $secret", async ({ app, secret }) => {
    const found = await vi.waitUntil(
      async () => {
        const [pod] = await podsOf(`app=${app}`);
        if (pod === undefined) return undefined;
        const events = await eventsOf(nameOf(pod));
        return events.some(({ message }) => message.includes(`secret "${secret}" not found`))
          ? pod
          : undefined;
      },
      { timeout: 180_000, interval: 1_000 },
    );
    expect([found.status.phase, restartsOf(found)]).toEqual(["Pending", 0]);
  });
});

describe("Kafka away when a service starts", () => {
  const waiting = z.object({
    event: z.literal("service_waiting"),
    ts: z.iso.datetime(),
    attempt: z.number(),
    retry_ms: z.number(),
  });
  const ATTEMPTS = 8;

  beforeAll(async () => {
    await installed();
    await kubectl(["scale", "statefulset/kafka", "--replicas=0"]);
    await vi.waitUntil(async () => (await podsOf("app=kafka")).length === 0, { timeout: 60_000 });
  }, 900_000);

  test.each(["eval", "train-linear"])(
    "%s stays unready and alive, with one line for each step of its back-off",
    async (app) => {
      const pod = await startAnew(
        app,
        async (fresh) => (await linesOf(nameOf(fresh)).catch(() => [])).length > ATTEMPTS,
      );
      expect([isReady(pod), restartsOf(pod)]).toEqual([false, 0]);
      const lines = (await linesOf(nameOf(pod))).map((line) => JSON.parse(line) as { event: string });
      const steps = lines.filter(({ event }) => event !== "service_start").map((line) => waiting.parse(line));
      expect(steps.map(({ attempt, retry_ms }) => [attempt, retry_ms])).toEqual(
        steps.map((_, at) => [at + 1, Math.min(250 * 2 ** at, 5_000)]),
      );
      const pauses = steps.slice(1).map(({ ts }, at) => Date.parse(ts) - Date.parse(steps[at]?.ts ?? ""));
      for (const [at, pause] of pauses.entries())
        expect(pause).toBeGreaterThanOrEqual(steps[at]?.retry_ms ?? 0);
    },
  );

  test("inference needs it for news only: it serves what is promoted", async () => {
    const pod = await startAnew("inference", (fresh) => isReady(fresh));
    const { url, close } = await forward(`pod/${nameOf(pod)}`, 8000);
    try {
      expect((await predict(url)).status).toBe("SUCCESS");
    } finally {
      close();
    }
  });

  test("and all are ready, without a restart, once it is there", async () => {
    await kubectl(["scale", "statefulset/kafka", "--replicas=1"]);
    await vi.waitUntil(async () => (await podsOf("app=kafka")).some(isReady), { timeout: 120_000 });
    await untilAllDone(120_000);
    expect((await podsOf()).filter((pod) => restartsOf(pod) > 0).map(nameOf)).toEqual([]);
  });
});

/** Ends the pods of a part. @returns the first of those that come instead, when it is as it shall be */
async function startAnew(app: string, is: (fresh: Pod) => boolean | Promise<boolean>): Promise<Pod> {
  const old = new Set((await podsOf(`app=${app}`)).map(nameOf));
  await kill(...old);
  return vi.waitUntil(
    async () => {
      const fresh = (await podsOf(`app=${app}`)).find((pod) => !old.has(nameOf(pod)));
      return fresh !== undefined && (await is(fresh)) ? fresh : undefined;
    },
    { timeout: 180_000, interval: 1_000 },
  );
}
