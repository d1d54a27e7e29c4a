import { hasCode } from "@flts/common/contracts/errors";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { MANIFEST, parseManifest } from "@flts/families/artifact";
import type { InspectedRun } from "./inspect-run.ts";
import { featuresOf, traitsOf } from "./version.ts";

/** What speaks against a run in the champion's place, each a sentence; a person may override it. */
export async function objectionsTo(
  { run, manifest }: InspectedRun,
  champion: Promotion | null,
  { tracker }: { readonly tracker: RunTracker },
): Promise<readonly string[]> {
  if (champion === null) return [];
  const present = champion.feature_schema ?? (await schemaOfRun(champion, tracker));
  if (present === null || present === traitsOf(manifest).feature_schema) return [];
  const features = featuresOf(manifest.scaling);
  return [
    `run ${run.runId} was trained on another feature schema than the champion of epoch ${champion.epoch}: ${features.length} columns (${features.join(", ")}) for ${manifest.targets.join(", ")}`,
  ];
}

/** The schema of a champion that an earlier release promoted; null when its run is gone. */
async function schemaOfRun({ run_id, model_type }: Promotion, tracker: RunTracker): Promise<string | null> {
  try {
    const path = `${model_type}/${MANIFEST}`;
    const bytes = await tracker.getArtifact(run_id, path);
    return bytes === null ? null : traitsOf(parseManifest(bytes, `${path} of run ${run_id}`)).feature_schema;
  } catch (error) {
    if (hasCode(error, "RUN_MISSING", "ARTIFACT_INVALID")) return null;
    throw error;
  }
}
