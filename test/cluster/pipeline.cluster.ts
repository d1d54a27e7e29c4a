import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { preprocess, uploadDataset } from "./datasets.ts";
import { comeIn, decidedIn, evalLinesAbout } from "./eval-log.ts";
import { openLoadBalancer, openReplicas, predict } from "./forecasts.ts";
import { type Forwarded, forward } from "./forward.ts";
import { installAfresh, plainManifests, release } from "./installation.ts";
import { kill, list } from "./kubectl.ts";
import { linesOf, nameOf, podsOf, restartsOf } from "./pods.ts";
import { order, promotionsOf, scoreboardOf } from "./promotions.ts";
import { note } from "./report.ts";

/** From nothing to a forecast, and what an operator does next, for both ways to install. */

const READY_SECONDS = 300;
const EFFECT_MS = 2_000;

describe.each([plainManifests, release])("$name", (installation) => {
  let seconds: number;

  beforeAll(async () => {
    seconds = await installAfresh(installation);
    note(`ready after ${installation.name}`, { seconds });
  }, 900_000);

  test("every pod is ready within five minutes, and none was restarted", async () => {
    expect(seconds).toBeLessThan(READY_SECONDS);
    const restarted = (await podsOf()).filter((pod) => restartsOf(pod) > 0).map(nameOf);
    expect(restarted).toEqual([]);
  });

  test("the best of all families is promoted once", async () => {
    const [promoted, ...others] = await promotionsOf();
    expect(others).toEqual([]);
    expect(promoted).toMatchObject({ epoch: 1, verdict: "cold_start" });
    const scoreboard = await scoreboardOf(promoted?.round ?? "");
    expect(familiesOf(scoreboard)).toEqual(await trainedFamilies());
    expect(scoreboard?.[0]?.run_id).toBe(promoted?.run_id);
  });

  test("the load balancer and every replica forecast with the promoted run, in raw units", async () => {
    const [promoted] = await promotionsOf();
    const replicas = await openReplicas();
    const doors = [await openLoadBalancer(), ...replicas];
    try {
      expect(replicas).toHaveLength(2);
      for (const { url } of doors) {
        const { status, run_id, predictions } = await predict(url);
        expect([status, run_id]).toEqual(["SUCCESS", promoted?.run_id]);
        expect(predictions).toHaveLength(3);
        for (const { down } of predictions) expect(down).toBeGreaterThan(1e6);
      }
    } finally {
      close(doors);
    }
  });

  test("every line that our pods log is JSON", async () => {
    const ours = await podsOf("app in (eval,gateway,inference,preprocess,train-gru,train-lstm,train-linear)");
    expect(ours.length).toBeGreaterThan(6);
    for (const pod of ours)
      for (const line of await linesOf(nameOf(pod)))
        expect(() => JSON.parse(line) as unknown, `${nameOf(pod)}: ${line}`).not.toThrow();
  });

  describe("a promotion by hand", () => {
    let judge: Forwarded;
    let replicas: readonly Forwarded[];

    beforeAll(async () => {
      judge = await forward("service/eval", 8050);
      replicas = await openReplicas();
    });
    afterAll(() => close([judge, ...replicas]));

    /** Milliseconds until every replica answers with the run. */
    async function untilServed(run: string): Promise<number> {
      const begun = performance.now();
      await vi.waitUntil(
        async () =>
          (await Promise.all(replicas.map(({ url }) => predict(url)))).every(({ run_id }) => run_id === run),
        { timeout: 30_000, interval: 20 },
      );
      return performance.now() - begun;
    }

    test("takes effect on every replica within two seconds, and so does taking it back", async () => {
      const [first] = await promotionsOf();
      const scoreboard = (await scoreboardOf(first?.round ?? "")) ?? [];
      const second = scoreboard.find(({ run_id }) => run_id !== first?.run_id)?.run_id ?? "";
      await order(judge.url, "/promote", { runId: second, force: true });
      const promoteMs = await untilServed(second);
      await order(judge.url, "/rollback", {});
      const rollbackMs = await untilServed(first?.run_id ?? "");
      note(`by hand after ${installation.name}`, { promoteMs, rollbackMs });
      expect(promoteMs).toBeLessThan(EFFECT_MS);
      expect(rollbackMs).toBeLessThan(EFFECT_MS);
    });
  });

  test("a second dataset, brought through the gateway, makes a second round", async () => {
    const begun = performance.now();
    const [first] = await promotionsOf();
    await uploadDataset("second", 7);
    await preprocess("second");
    let second: string | undefined;
    await vi.waitUntil(
      async () => {
        const decided = decidedIn(await evalLinesAbout(""));
        second = [...decided].find((round) => round !== first?.round);
        return second !== undefined;
      },
      { timeout: 240_000, interval: 500 },
    );
    note(`second round after ${installation.name}`, { seconds: (performance.now() - begun) / 1000 });
    expect(familiesOf(await scoreboardOf(second ?? ""))).toEqual(await trainedFamilies());
  });

  test("eval, killed between two SUCCESS events, still promotes", async () => {
    await uploadDataset("third", 8);
    await preprocess("third", "Third");
    const [judge] = await podsOf("app=eval");
    await vi.waitUntil(async () => comeIn(await evalLinesAbout("Third")).length > 0, {
      timeout: 120_000,
      interval: 50,
    });
    await kill(nameOf(judge!));
    await vi.waitUntil(async () => (await promotionsOf("Third").catch(() => [])).length > 0, {
      timeout: 240_000,
      interval: 1_000,
    });
    const [promoted, ...others] = await promotionsOf("Third");
    expect(others).toEqual([]);
    expect(familiesOf(await scoreboardOf(promoted?.round ?? ""))).toEqual(await trainedFamilies());
    // It was the second pod that decided.
    const [successor] = await podsOf("app=eval");
    expect(nameOf(successor!)).not.toBe(nameOf(judge!));
    expect(decidedIn(await evalLinesAbout("Third"))).toContain(promoted?.round);
  });
});

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env?: readonly { name: string; value?: string }[] }[];
      };
    };
  };
}

/** The families that have a trainer, sorted. */
async function trainedFamilies(): Promise<readonly string[]> {
  const deployments = await list<Deployment>("deployments");
  return deployments
    .flatMap(({ spec }) => spec.template.spec.containers.flatMap(({ env }) => env ?? []))
    .filter(({ name }) => name === "MODEL_TYPE")
    .map(({ value }) => value ?? "")
    .toSorted();
}

const familiesOf = (scoreboard: Awaited<ReturnType<typeof scoreboardOf>>): readonly string[] =>
  (scoreboard ?? []).map(({ model_type }) => model_type).toSorted();

function close(doors: readonly Forwarded[]): void {
  for (const door of doors) door.close();
}
