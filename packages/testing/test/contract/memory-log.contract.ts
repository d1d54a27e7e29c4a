import { messageLogContract } from "../../src/contract/message-log.ts";
import { createMemoryLog } from "../../src/memory-log.ts";

messageLogContract(
  "in memory",
  async () => {
    const log = createMemoryLog();
    return { log, close: () => log.close() };
  },
  { sharedByProcesses: false, leaseMs: 20, patienceMs: 2000 },
);
