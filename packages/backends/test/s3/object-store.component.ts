import { objectStoreContract } from "@flts/testing/contract/object-store";
import { open } from "./open-s3-store.ts";

objectStoreContract(
  "S3",
  async () => {
    const store = await open();
    return {
      store,
      opener: { module: new URL("./open-s3-store.ts", import.meta.url).href, settings: {} },
      close: () => store.close(),
    };
  },
  { etagsNameVersions: false, keysBesideFolders: false, sharedByProcesses: true },
);
