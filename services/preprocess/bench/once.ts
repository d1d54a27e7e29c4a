import { createFolderStore } from "@flts/backends/embedded/folder-store";
import { createSystemClock } from "@flts/backends/system-clock";
import { createSystemRandom } from "@flts/backends/system-random";
import type { Emission } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createLogger } from "@flts/common/service/logger";
import type { PreprocessSettings } from "@flts/forecasting/preprocess/settings";
import { preprocess } from "../src/preprocess.ts";

/** A store in a folder, with the job's two buckets. */
export async function openBenchStore(folder: string): Promise<ObjectStore> {
  const store = await createFolderStore({ folder, random: createSystemRandom() });
  for (const bucket of ["dataset", "processed-data"]) await store.ensureBucket(bucket);
  return store;
}

/** Does the job on two files of the store, whether or not it was done before, and returns its claims. */
export async function preprocessOnce(options: {
  readonly store: ObjectStore;
  readonly settings: PreprocessSettings;
  readonly spillFolder: string;
}): Promise<readonly Emission[]> {
  const published: Emission[] = [];
  await preprocess(
    {
      identifier: "",
      inputBucket: "dataset",
      outputBucket: "processed-data",
      outputTrain: "processed_data",
      outputTest: "test_processed_data",
      force: true,
      settings: options.settings,
      spill: { folder: options.spillFolder, maxBytes: 64 * 1024 ** 3 },
    },
    {
      store: options.store,
      clock: createSystemClock(),
      log: createLogger({ service: "bench", level: "silent", pretty: false }),
      publish: async (emissions) => void published.push(...emissions),
    },
  );
  return published;
}
