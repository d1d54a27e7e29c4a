import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStoreTracker } from "@flts/backends/embedded/store-tracker";
import { createSystemClock } from "@flts/backends/system-clock";
import { createSystemRandom } from "@flts/backends/system-random";
import { runTrackerContract } from "../../src/contract/run-tracker.ts";
import { createMemoryTracker } from "../../src/memory-tracker.ts";
import { open as openStore } from "./open-folder-store.ts";

runTrackerContract("in memory", async () => {
  const tracker = createMemoryTracker();
  return { tracker, other: tracker, close: () => tracker.close() };
});

runTrackerContract("on the folder store", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flts-tracker-"));
  const ports = { clock: createSystemClock(), random: createSystemRandom() };
  const store = await openStore({ folder });
  return {
    tracker: await createStoreTracker({ store, ...ports }),
    other: await createStoreTracker({ store: await openStore({ folder }), ...ports }),
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
