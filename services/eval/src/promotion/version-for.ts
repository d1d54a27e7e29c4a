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
  for (let entry = champion; entry !== null && champion !== null; ) {
    if (entry.run_id === run.runId && entry.version !== undefined)
      return keptVersion(champion, entry.version);
    entry = entry.previous_epoch === null ? null : await ledger.entry(identifier, entry.previous_epoch);
  }
  return nextVersion(champion, traitsOf(manifest));
}
