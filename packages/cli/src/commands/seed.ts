import { createSystemClock } from "@flts/backends/system-clock";
import { FltsError } from "@flts/common/contracts/errors";
import { createLogger } from "@flts/common/service/logger";
import { untilAvailable } from "@flts/common/service/until-available";
import type { Dataset } from "../pipeline/dataset.ts";
import { uploadDataset } from "../pipeline/upload.ts";
import type { Output } from "../terminal/output.ts";

export interface SeedOptions {
  /** The gateway. */
  readonly url: string;
  readonly datasets: readonly Dataset[];
}

/** `flts seed`: uploads files as soon as the gateway is ready; the test file last. @throws INPUT_MISSING when the gateway refuses one */
export async function seed(
  { url, datasets }: SeedOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const log = createLogger({ service: "seed", level: "info", pretty: false });
  const patience = { clock: createSystemClock(), log, signal };
  const gateway = `the gateway ${url}`;
  await untilAvailable(patience, gateway, () => askWhetherReady(url, signal));
  for (const dataset of datasets) {
    await untilAvailable(patience, gateway, () => uploadDataset(url, dataset, signal));
    output.say(`${dataset.train.name} and ${dataset.test.name} are in the dataset bucket`);
  }
  output.result({ seeded: datasets.map(({ name }) => name) });
}

async function askWhetherReady(url: string, signal: AbortSignal): Promise<void> {
  try {
    const { ok, status } = await fetch(`${url}/readyz`, { signal });
    if (ok) return;
    throw new FltsError("STORE_UNAVAILABLE", `${url}/readyz answers ${status}`);
  } catch (cause) {
    if (cause instanceof FltsError) throw cause;
    throw new FltsError("STORE_UNAVAILABLE", `${url} does not answer`, cause);
  }
}
