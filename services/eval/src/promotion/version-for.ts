import type { Promotion } from "@flts/common/contracts/promotion";
import type { InspectedRun } from "./inspect-run.ts";
import type { Ledger } from "./ledger.ts";
import { type GivenVersion, keptVersion, nextVersion, traitsOf } from "./version.ts";

/** The version of a run that is promoted by hand: the one it has had, or the next. */
export async function versionFor(
  { run, manifest }: InspectedRun,
  champion: Promotion | null,
  ledger: Ledger,
  identifier: string,
): Promise<GivenVersion> {
  if (champion === null) return nextVersion(null, traitsOf(manifest));
  let entry: Promotion | null = champion;
  while (entry !== null) {
    const { run_id, version, previous_epoch }: Promotion = entry;
    if (run_id === run.runId && version !== undefined) return keptVersion(champion, version);
    entry = previous_epoch === null ? null : await ledger.entry(identifier, previous_epoch);
  }
  return nextVersion(champion, traitsOf(manifest));
}
