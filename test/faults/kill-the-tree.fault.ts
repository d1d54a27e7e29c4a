import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { audit } from "./audit.ts";
import { finish, makeSite } from "./tree.ts";

/**
 * The whole tree of `flts up` is killed at a named operation, and started again. Afterwards an auditor that reads only the store and the log finds
 * each claim ended in exactly one promotion.
 */
const places = [
  "after:put:dataset/*#1",
  "before:create:processed-data/**",
  "after:create:processed-data/**#1",
  "after:put:processed-data/*.meta.json#1",
  "before:publish:training-data",
  "after:publish:training-data",
  "before:publish:model-training#1",
  "after:put-artifact:LINEAR/model.onnx",
  "after:put-artifact:LINEAR/manifest.json",
  "before:create:model-promotion/candidates/**",
  "after:create:model-promotion/candidates/**",
  "before:publish:model-training#2",
  "after:publish:model-training#2",
  "before:commit:training-data",
  "after:create:model-promotion/decisions/**",
  "after:create:model-promotion/**/history/**",
  "after:create:model-promotion/global/current.json",
  "before:publish:model-selected",
  "after:publish:model-selected",
  "before:commit:model-training#2",
] as const;

const site = makeSite(["a"]);
afterAll(() => site.remove());

test.each(places)("killed %s", async (place) => {
  const home = site.home();
  const marker = join(home, "died");
  const environment = { FLTS_FAILPOINT: place, FLTS_FAILPOINT_FILE: marker };
  expect(await site.up(home, environment).ended).toBe("SIGKILL");
  expect(existsSync(marker), "the place was reached").toBe(true);
  await finish(site.up(home, environment), home, [""], (backends) => audit(backends, [""]));
});
