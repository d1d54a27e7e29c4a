import { statSync } from "node:fs";
import { type Backends, backendSecrets, backendSettings, connectBackends } from "@flts/backends/connect";
import { FltsError } from "@flts/common/contracts/errors";
import { loadConfig } from "@flts/common/service/config";

/** Works with the backends of a state folder, and closes them whatever happens. @throws what {@link openHome} and the work do */
export async function withHome(home: string, work: (backends: Backends) => Promise<void>): Promise<void> {
  const backends = await openHome(home);
  try {
    await work(backends);
  } finally {
    await backends.close();
  }
}

/**
 * Opens the backends of a state folder: those that services with the same environment use. A folder that is not there is not made; where every backend
 * is a server none is needed.
 * @throws INPUT_MISSING when there is no such folder, CONFIG_INVALID
 */
export async function openHome(home: string): Promise<Backends> {
  const settings = loadConfig(backendSettings, { ...process.env, FLTS_HOME: home }, backendSecrets);
  const { KAFKA_BOOTSTRAP_SERVERS, S3_ENDPOINT, MLFLOW_TRACKING_URI } = settings;
  const isEmbedded = [KAFKA_BOOTSTRAP_SERVERS, S3_ENDPOINT, MLFLOW_TRACKING_URI].includes("");
  if (isEmbedded && statSync(home, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new FltsError(
      "INPUT_MISSING",
      `there is no state folder ${home}: run 'pnpm demo' or 'pnpm flts up' first, or name another with --home`,
    );
  return connectBackends(settings);
}
