import { backendSettings, connectBackends } from "@flts/backends/connect";
import { loadConfig } from "@flts/common/service/config";

export type Backends = Awaited<ReturnType<typeof connectBackends>>;

/** Opens the backends of a state folder: those that services with the same environment use. */
export function openHome(home: string): Promise<Backends> {
  return connectBackends(loadConfig(backendSettings, { ...process.env, FLTS_HOME: home }));
}
