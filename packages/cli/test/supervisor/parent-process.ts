import { createSpawn } from "@flts/cli/supervisor/spawn";

/** A supervisor in a process of its own, so that a test can kill it: it starts a service and passes on what that says. */
const spawn = createSpawn(process.env);
const environment = { METRICS_PORT: "0", HOST: "127.0.0.1" };
spawn({ name: "small", module: import.meta.resolve("./small-service.ts"), environment }, console.log);
