import type { ObjectStore } from "@flts/common/ports/object-store";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { basics } from "./object-store/basics.ts";
import { conditions } from "./object-store/conditions.ts";
import { names } from "./object-store/names.ts";
import { processes } from "./object-store/processes.ts";
import { streams } from "./object-store/streams.ts";
import type { StoreCapabilities, StoreHarness, StoreSuite } from "./object-store/suite.ts";
import type { Opener } from "./peer.ts";

/** What every ObjectStore promises. `open` brings a store; the suite makes buckets of its own in it. */
export function objectStoreContract(
  name: string,
  open: () => Promise<StoreHarness>,
  capabilities: StoreCapabilities,
): void {
  describe(`object store contract: ${name}`, () => {
    let harness: StoreHarness;
    const run = Date.now().toString(36);
    let buckets = 0;

    const suite: StoreSuite = {
      get store(): ObjectStore {
        return harness.store;
      },
      get opener(): Opener | undefined {
        return harness.opener;
      },
      get bucket(): string {
        return `contract-${run}-${buckets}`;
      },
      capabilities,
      at: (key) => ({ bucket: suite.bucket, key }),
    };

    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(async () => {
      buckets += 1;
      await suite.store.ensureBucket(suite.bucket);
    });

    basics(suite);
    conditions(suite);
    names(suite);
    streams(suite);
    if (capabilities.sharedByProcesses) processes(suite);
  });
}
