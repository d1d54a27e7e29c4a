import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageLogContract } from "../../src/contract/message-log.ts";
import { open, type Settings } from "./open-sqlite-log.ts";

const leaseMs = 900;

messageLogContract(
  "SQLite",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "flts-sqlite-log-"));
    const settings: Settings = { file: join(folder, "log.db"), leaseMs };
    const log = await open(settings);
    return {
      log,
      opener: { module: new URL("./open-sqlite-log.ts", import.meta.url).href, settings },
      close: async () => {
        await log.close();
        await rm(folder, { recursive: true });
      },
    };
  },
  { sharedByProcesses: true, leaseMs, patienceMs: 10_000 },
);
