import { runMeant, stationMeant } from "@flts/cli/meant";
import { writeDocument } from "@flts/common/claim-check/documents";
import { buckets, keys } from "@flts/common/contracts/layout";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, test } from "vitest";
import { buildCandidate, buildDecision, buildPromotion, storePromotion } from "./pipeline/decisions.ts";

async function storeWith({ stations = [], runs = [] }: { stations?: string[]; runs?: string[] }) {
  const store = createMemoryStore();
  await store.ensureBucket(buckets.promotion);
  for (const identifier of stations)
    await storePromotion(store, buildPromotion(buildDecision({ identifier })));
  for (const run_id of runs) {
    const key = keys.candidate("r1", "LINEAR", `work-${run_id}`);
    await writeDocument(store, { bucket: buckets.promotion, key }, buildCandidate({ run_id }));
  }
  return store;
}

const [a, b] = [`a972${"0".repeat(28)}`, `a973${"0".repeat(28)}`];

test("a run is meant by the beginning of its id, as tables show it", async () => {
  const store = await storeWith({ runs: [a, b] });
  expect(await runMeant("a9720000", store)).toBe(a);
  expect(await runMeant(b, store)).toBe(b);
});

test("a beginning that two runs share names neither", async () => {
  const store = await storeWith({ runs: [a, b] });
  await expect(runMeant("a97", store)).rejects.toMatchObject({
    exitCode: 2,
    message: `2 runs begin with a97: ${a}, ${b}`,
  });
});

test.each(["b000", "no-run", "4d1c7f2e9a"])("%s, which no run begins with, stays as it is", async (text) => {
  expect(await runMeant(text, await storeWith({ runs: [a, b] }))).toBe(text);
});

test.each([
  { stations: [], identifier: "", meant: "" },
  { stations: ["", "Sants"], identifier: "", meant: "" },
  { stations: ["Sants"], identifier: "", meant: "Sants" },
  { stations: ["Sants", "Gracia"], identifier: "Gracia", meant: "Gracia" },
  { stations: ["Sants"], identifier: "Unheard", meant: "Unheard" },
])("with champions of $stations, '$identifier' means '$meant'", async ({ stations, identifier, meant }) => {
  expect(await stationMeant(identifier, await storeWith({ stations }))).toBe(meant);
});

test("where several stations have champions, and none of them is the default one, one must be named", async () => {
  const store = await storeWith({ stations: ["Sants", "Gracia"] });
  await expect(stationMeant("", store)).rejects.toMatchObject({
    exitCode: 2,
    message: "there are several stations: choose with --identifier among Gracia, Sants",
  });
});
