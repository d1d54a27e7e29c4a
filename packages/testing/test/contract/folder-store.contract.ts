import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { objectStoreContract } from "../../src/contract/object-store.ts";
import { open } from "./open-folder-store.ts";

objectStoreContract(
  "folder",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "flts-folder-store-"));
    const settings = { folder: join(folder, "store") };
    const store = await open(settings);
    return {
      store,
      opener: { module: new URL("./open-folder-store.ts", import.meta.url).href, settings },
      close: async () => {
        await store.close();
        await rm(folder, { recursive: true });
      },
    };
  },
  { etagsNameVersions: true, keysBesideFolders: true, sharedByProcesses: true },
);
