import { keys } from "@flts/common/contracts/layout";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { auditStation, isSettled, keysBelow } from "./audit.ts";
import { pass } from "./own-servers.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/** Two evals of one group, and an operator, race for the head of one station. */

let site: ServerSite;
let evals: readonly [Supervised, Supervised];
beforeAll(async () => {
  site = await openServerSite();
  site.supervise("train");
  evals = [site.supervise("eval"), site.supervise("eval")];
}, 240_000);
afterAll(() => site?.close(), 60_000);

test("an eval is frozen between its look at the head and its swap: another promotion wins the epoch, and the round is decided again", async () => {
  onTestFailed(() => {
    for (const line of evals.flatMap((each) => each.lines().slice(-60))) console.error(line);
  });
  const station = site.station();
  // A way back needs two champions.
  await site.claim(station);
  await site.claim(station);
  await site.settled([station]);
  await Promise.all(
    evals.map((each) => each.arm(`before:create:model-promotion/${station}/history/**`, "stop")),
  );
  const { round = "" } = await site.claim(station);
  const frozen = await Promise.any(
    evals.map(async (each) => {
      await each.reached();
      return each;
    }),
  );
  const other = evals[0] === frozen ? evals[1] : evals[0];
  other.disarm();
  const { url } = await other.ready();
  const answer = await fetch(`${String(url)}/rollback`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer a-token-for-tests" },
    body: JSON.stringify({ identifier: station, reason: "to take the epoch away" }),
  });
  expect(answer.status, await answer.text()).toBe(200);
  await pass("freeze");
  frozen.resume();
  const settled = async (): Promise<boolean> =>
    (await isSettled(site.backends, [station])) &&
    (await keysBelow(site.backends.store, keys.historyOf(station))).length >= 4;
  await expect.poll(settled, { timeout: 120_000, interval: 250 }).toBe(true);

  const history = await auditStation(site.backends, station, 4);
  expect(history[2]).toMatchObject({ source: "manual", run_id: history[0]?.run_id });
  expect(history[3]).toMatchObject({ round });
  const decisions = await keysBelow(site.backends.store, keys.decisionsAbout(round));
  expect(decisions.map((key) => key.split("/").at(-1))).toEqual(["0001.json", "0002.json"]);
  expect([...evals[0].crashes, ...evals[1].crashes]).toEqual([]);
});
