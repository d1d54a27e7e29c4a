import type { Promotion } from "@flts/common/contracts/promotion";
import type { History } from "./history.ts";
import { type GivenVersion, keptVersion, type ModelTraits, nextVersion } from "./version.ts";

/** The version of a run that follows a champion: the one it has had, or the next. A function of the history up to that champion. */
export async function versionFor(
  runId: string,
  traits: ModelTraits,
  champion: Promotion | null,
  history: History,
): Promise<GivenVersion> {
  if (champion === null) return nextVersion(null, traits);
  const before = await history.versionOf(champion.identifier, runId, champion.epoch);
  return before === null ? nextVersion(champion, traits) : keptVersion(champion, before);
}
