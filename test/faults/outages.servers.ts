import { afterAll, beforeAll, expect, onTestFailed, test, vi } from "vitest";
import { audit } from "./audit.ts";
import { mayKillServers, outage } from "./own-servers.ts";
import { isFull } from "./places.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/**
 * A server is killed in the middle of a training, which stands still until that has happened, and comes back after a while. Whoever is at work waits, and so does
 * who starts meanwhile: they do not end, give nothing up, and go on by themselves.
 */

let site: ServerSite;
let trainer: Supervised;
let judge: Supervised;
beforeAll(async () => {
  site = await openServerSite();
  trainer = site.supervise("train");
  judge = site.supervise("eval");
}, 240_000);
afterAll(() => site?.close(), 60_000);

const outages = [
  ["kafka", "before its result is published", "before:publish:model-training#2"],
  ["kafka", "before the claim is committed", "before:commit:training-data"],
  ["s3", "before the candidate is written", "before:create:model-promotion/candidates/**"],
  ["s3", "when its table was read", "after:get:processed-data/**"],
  ["mlflow", "when its run has begun", "after:start-run"],
  ["mlflow", "before its model is stored", "before:put-artifact:LINEAR/model.onnx"],
] as const;
/** In the short form each server dies once. */
const chosen = outages.filter(
  ([server], index) => isFull || outages.findIndex((other) => other[0] === server) === index,
);

const waits = (): number => judge.lines().filter((line) => line.includes('"service_waiting"')).length;

test.skipIf(!mayKillServers).each(chosen)(
  "%s dies in the middle of a training, %s, and eval is started without it (where FLTS_RUN_DIR says that servers may be killed)",
  async (server, _moment, place) => {
    onTestFailed(() => {
      for (const line of [...trainer.lines(), ...judge.lines()].slice(-80)) console.error(line);
    });
    const stations = [site.station(), site.station()];
    await judge.ready();
    await trainer.arm(place, "stop");
    for (const station of stations) await site.claim(station);
    await trainer.reached();
    const before = waits();
    await outage(server, async () => {
      trainer.resume();
      judge.kill();
      await vi.waitUntil(() => waits() > before, { timeout: 60_000, interval: 100 });
    });
    await site.settled(stations);
    await audit(site.backends, stations);
    expect([...trainer.crashes, ...judge.crashes]).toEqual([]);
  },
);
