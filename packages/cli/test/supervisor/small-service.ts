import { runService } from "@flts/common/service/service";

/** A service with nothing to do: it waits until it is told to stop. */
await runService({ name: "small", settings: {}, start: async () => ({ ready: { pid: process.pid } }) });
