import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { audit } from "./audit.ts";
import { finish, makeSite } from "./tree.ts";

/** One service of `flts up` is killed at a named operation. Nobody does anything: it is started again, and goes on where it was (P8). */
const places = [
  ["preprocess", "after:create:processed-data/**#1"],
  ["preprocess", "after:publish:training-data"],
  ["the trainer", "after:put-artifact:LINEAR/model.onnx"],
  ["the trainer", "after:create:model-promotion/candidates/**"],
  ["eval", "after:create:model-promotion/**/history/**"],
  ["eval", "after:publish:model-selected"],
] as const;

const site = makeSite(["a"]);
afterAll(() => site.remove());

test.each(places)("%s is killed %s", async (_process, place) => {
  const home = site.home();
  const marker = join(home, "died");
  const tree = site.up(home, {
    FLTS_FAILPOINT: place,
    FLTS_FAILPOINT_SCOPE: "process",
    FLTS_FAILPOINT_FILE: marker,
  });
  await finish(tree, home, [""], async (backends) => {
    expect(existsSync(marker), "the place was reached").toBe(true);
    await audit(backends, [""]);
  });
});
