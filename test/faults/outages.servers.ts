import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { audit } from "./audit.ts";
import { mayKillServers, outage } from "./own-servers.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/**
 * A server is killed in the middle of a training, which stands still until that has happened, and comes back after a while. Trainer and eval wait: they do
 * not end, give nothing up, and go on by themselves.
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

test.skipIf(!mayKillServers).each([
  ["the broker", "kafka", "before its result is published", "before:publish:model-training#2"],
  ["the broker", "kafka", "before the claim is committed", "before:commit:training-data"],
  ["the store", "s3", "before the candidate is written", "before:create:model-promotion/candidates/**"],
  ["MLflow", "mlflow", "when its run has begun", "after:start-run"],
  ["MLflow", "mlflow", "before its model is stored", "before:put-artifact:LINEAR/model.onnx"],
] as const)(
  "%s (%s) dies in the middle of a training, %s (FLTS_RUN_DIR says that it may be killed)",
  async (_name, server, _moment, place) => {
    onTestFailed(() => {
      for (const line of [...trainer.lines(), ...judge.lines()].slice(-80)) console.error(line);
    });
    const stations = [site.station(), site.station()];
    await judge.ready();
    await trainer.arm(place, "stop");
    for (const station of stations) await site.claim(station);
    await trainer.reached();
    await outage(server, () => trainer.resume());
    await site.settled(stations);
    await audit(site.backends, stations);
    expect([...trainer.crashes, ...judge.crashes]).toEqual([]);
  },
);
