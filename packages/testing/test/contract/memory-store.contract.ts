import { objectStoreContract } from "../../src/contract/object-store.ts";
import { createMemoryStore } from "../../src/memory-store.ts";

objectStoreContract(
  "in memory",
  async () => {
    const store = createMemoryStore();
    return { store, close: () => store.close() };
  },
  { etagsNameVersions: true, keysBesideFolders: true, sharedByProcesses: false },
);
