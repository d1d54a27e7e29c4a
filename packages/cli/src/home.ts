import { statSync } from "node:fs";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { FltsError } from "@flts/common/contracts/errors";
import { loadConfig } from "@flts/common/service/config";

/**
 * Opens the backends of a state folder: those that services with the same environment use. A folder that is not there is not made.
 * @throws INPUT_MISSING when there is no such folder, CONFIG_INVALID
 */
export async function openHome(home: string): Promise<Backends> {
  if (statSync(home, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new FltsError(
      "INPUT_MISSING",
      `there is no state folder ${home}: run 'pnpm demo' or 'pnpm flts up' first, or name another with --home`,
    );
  return connectBackends(loadConfig(backendSettings, { ...process.env, FLTS_HOME: home }));
}
