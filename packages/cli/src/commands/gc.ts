import { buckets } from "@flts/common/contracts/layout";
import { collectGarbage } from "@flts/common/housekeeping/collect-garbage";
import { housekeepingSettings } from "@flts/common/housekeeping/housekeeping";
import { loadConfig } from "@flts/common/service/config";
import { withHome } from "../home.ts";
import { si } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";

export interface GcOptions {
  readonly home: string;
  readonly dryRun: boolean;
}

/** `flts gc`: removes what nothing refers to any more, by the rules that eval follows every day. @throws CONFIG_INVALID */
export const gc = ({ home, dryRun }: GcOptions, output: Output, signal: AbortSignal): Promise<void> =>
  withHome(home, async ({ log, store, tracker }) => {
    const { GC_GRACE_MS, GC_KEEP_EPOCHS } = loadConfig(housekeepingSettings, process.env);
    const { swept, kept } = await collectGarbage(
      {
        log,
        store,
        tracker,
        processedBucket: buckets.processed,
        promotionBucket: buckets.promotion,
        runsBucket: buckets.mlflow,
      },
      { keepEpochs: GC_KEEP_EPOCHS, graceMs: GC_GRACE_MS, dryRun },
      signal,
    );
    const bytes = swept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    output.say(
      ...swept.map(({ bucket, key }) => `${bucket}/${key}`),
      `${swept.length} object(s), ${si(bytes)}B ${dryRun ? "would go" : "removed"}; ${kept} stay`,
    );
    output.result({ dryRun, swept, bytes, kept });
  });
