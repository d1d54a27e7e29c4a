import { howToStart, missingServers } from "./servers.ts";

/** Ends with one line where the servers that `pnpm test:components` tests against are not named. */
const missing = missingServers(process.env);
if (missing.length > 0) {
  console.error(`${missing.join(", ")} not set: ${howToStart}`);
  process.exit(1);
}
