import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { Environment } from "./backends.ts";
import { type Cluster, CONFIG_HASH, preprocess, promotionToken, startCluster, trainers } from "./cluster.ts";

/** What the pipeline does on any backends, as its users see it: over HTTP. */

interface Site {
  /** Settings of the backends for the service of that name. */
  readonly backends: (service: string) => Environment;
  readonly close: () => Promise<void> | void;
}

const promotions = z.object({
  promotions: z.array(
    z.object({
      epoch: z.number(),
      run_id: z.string(),
      model_type: z.string(),
      verdict: z.string(),
      config_hash: z.string(),
      round: z.string(),
      score: z.number(),
    }),
  ),
});
const scoreboard = z.object({
  decisions: z.array(
    z.object({ scoreboard: z.array(z.object({ run_id: z.string(), model_type: z.string() })) }),
  ),
});
const forecast = z.object({
  status: z.string(),
  run_id: z.string(),
  predictions: z.array(z.looseObject({ ts: z.string(), down: z.number() })).min(1),
});

/**
 * Tests of a pipeline that ran once, from the upload to two replicas that answer, and once more to a second promotion.
 * @param inspect more tests, of what the running pipeline has left in its backends
 */
export function pipelineSuite(
  name: string,
  openSite: () => Promise<Site> | Site,
  inspect: (cluster: () => Cluster) => void = () => undefined,
): void {
  describe(`the pipeline ${name}`, () => {
    let site: Site;
    let cluster: Cluster;

    beforeAll(async () => {
      site = await openSite();
      cluster = await startCluster(site.backends);
      await preprocess(cluster, site.backends);
      await vi.waitUntil(async () => (await history()).length > 0, { timeout: 240_000, interval: 250 });
    }, 300_000);

    beforeEach(({ onTestFailed }) => {
      onTestFailed(() => {
        for (const line of complaintsOf(cluster)) console.error(line);
      });
    });

    afterAll(async () => {
      await cluster?.stop();
      await site?.close();
    }, 60_000);

    const history = async () => {
      const answer = await fetch(`${cluster.eval}/promotions`);
      return promotions.parse(await answer.json()).promotions;
    };

    test("the best of three models is promoted once, under the reference's settings hash", async () => {
      const [promoted, ...others] = await history();
      expect(others).toEqual([]);
      expect(promoted).toMatchObject({
        epoch: 1,
        verdict: "cold_start",
        config_hash: CONFIG_HASH,
      });
      const answer = await fetch(`${cluster.eval}/scoreboard/${promoted?.round}`);
      const [decision, ...later] = scoreboard.parse(await answer.json()).decisions;
      expect(later).toEqual([]);
      expect(decision?.scoreboard.map(({ model_type }) => model_type).toSorted()).toEqual(
        trainers.map(({ family }) => family).toSorted(),
      );
      expect(decision?.scoreboard[0]?.run_id).toBe(promoted?.run_id);
    });

    test("both replicas serve the promoted run in raw units", async () => {
      const [promoted] = await history();
      for (const url of cluster.inference)
        await vi.waitUntil(async () => (await fetch(`${url}/ready`)).status === 200, { timeout: 20_000 });
      for (const url of cluster.inference) {
        const answer = forecast.parse(await (await predict(url)).json());
        expect(answer).toMatchObject({ status: "SUCCESS", run_id: promoted?.run_id });
        expect(answer.predictions).toHaveLength(3);
        expect(answer.predictions[0]?.down).toBeGreaterThan(1e5);
      }
    });

    inspect(() => cluster);

    test("another run, promoted by hand, is soon served by both replicas, and no request fails meanwhile", async () => {
      const [first] = await history();
      const answer = await fetch(`${cluster.eval}/scoreboard/${first?.round}`);
      const rows = scoreboard.parse(await answer.json()).decisions[0]?.scoreboard ?? [];
      const second = rows.find(({ run_id }) => run_id !== first?.run_id)?.run_id ?? "";
      const promoted = await fetch(`${cluster.eval}/promote`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${promotionToken}` },
        body: JSON.stringify({ runId: second, reason: "to see both replicas swap", force: true }),
      });
      expect(promoted.status, await promoted.text()).toBe(200);
      const served = new Set<string>();
      await vi.waitUntil(
        async () => {
          const runs = await Promise.all(cluster.inference.map(servedBy));
          for (const run of runs) served.add(run);
          return runs.every((run) => run === second);
        },
        { timeout: 20_000, interval: 20 },
      );
      expect([first?.run_id, second]).toEqual(expect.arrayContaining([...served]));
      expect((await history()).map(({ epoch, run_id }) => [epoch, run_id])).toEqual([
        [2, second],
        [1, first?.run_id],
      ]);
    });

    test("every line that a service wrote is JSON", () => {
      for (const { name: service, lines } of cluster.services)
        for (const line of lines)
          expect(() => JSON.parse(line) as unknown, `${service}: ${line}`).not.toThrow();
    });

    test("told to stop, every service ends with code 0", async () => {
      const endings = await cluster.stop();
      expect([...endings].filter(([, code]) => code !== 0)).toEqual([]);
    });
  });
}

const predict = (url: string): Promise<Response> =>
  fetch(`${url}/predict?inference_length=3`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });

/** The run that a replica answers with. */
async function servedBy(url: string): Promise<string> {
  const answer = await predict(url);
  expect(answer.status).toBe(200);
  return forecast.parse(await answer.json()).run_id;
}

/** What services said of errors, so that a failed test need not be run again to see it. */
const complaintsOf = ({ services }: Cluster): readonly string[] =>
  services.flatMap(({ name, lines }) =>
    lines.filter((line) => !/"level":"(info|debug)"/.test(line)).map((line) => `${name}: ${line}`),
  );
