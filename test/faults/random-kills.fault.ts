import { setTimeout as wait } from "node:timers/promises";
import { seededUniform } from "@flts/forecasting/random";
import { afterAll, expect, test } from "vitest";
import { audit } from "./audit.ts";
import { finish, makeSite } from "./tree.ts";

/**
 * The tree of two stations is killed again and again, whenever the dice say so, each time before it can have ended its work for long. The times come from a
 * seed; where in the code they fall is up to the machine, so each run of this test is another one.
 */
const KILLS = 4;
/** From a start to the promotions it takes about so long. */
const ROUND_MS = 4_000;

const stations = ["north", "south"];
const site = makeSite(stations);
afterAll(() => site.remove());

test.each([1, 2])("killed at any time, again and again (seed %i)", async (seed) => {
  const uniform = seededUniform(seed);
  const home = site.home();
  for (let kill = 0; kill < KILLS; kill++) {
    const tree = site.up(home);
    await wait(ROUND_MS * uniform());
    tree.kill();
    expect(await tree.ended).toBe("SIGKILL");
  }
  await finish(site.up(home), home, stations, (backends) => audit(backends, stations));
});
