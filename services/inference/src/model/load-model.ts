import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { type Artifact, type ArtifactName, fetchArtifact } from "@flts/families/artifact";
import type { Manifest } from "@flts/families/manifest";
import type { SharedForecaster } from "../compute/compute.ts";
import type { ArtifactCache } from "./artifact-cache.ts";
import { servableModel } from "./family-model.ts";
import type { ServableModel } from "./servable-model.ts";

/** How far an answer may lie from the one stored with the model, relative to it: another CPU rounds float32 otherwise. */
const SELF_TEST_TOLERANCE = 1e-3;

export type FetchArtifact = (promotion: Promotion) => Promise<Artifact>;

/**
 * Fetches the files of promoted runs, each held to its digest, from the cache where they are there and right.
 * @throws as {@link fetchArtifact} does
 */
export function cachedFetch(tracker: RunTracker, cache: ArtifactCache): FetchArtifact {
  const through = cache.through(tracker);
  return async (promotion) => {
    try {
      return await fetchArtifact(through, nameOf(promotion));
    } catch (error) {
      if (!hasCode(error, "ARTIFACT_INVALID")) throw error;
      // The fault may lie in the cache: once more, from the tracker.
      await cache.forget(promotion.run_id);
      return fetchArtifact(through, nameOf(promotion));
    }
  };
}

const nameOf = ({ run_id, model_type, manifest_sha256 }: Promotion): ArtifactName => ({
  runId: run_id,
  family: model_type,
  manifestSha256: manifest_sha256,
});

/** Makes a forecaster of verified files. @throws ARTIFACT_INVALID, MODEL_UNKNOWN */
export type OpenForecaster = (artifact: Artifact) => Promise<SharedForecaster>;

/**
 * Loads a promoted model beside the one that is served: files verified, sessions opened, and the stored example answered as when the model was made,
 * which also warms it up.
 * @throws ARTIFACT_INVALID, MODEL_UNKNOWN, RUN_MISSING, TRACKER_UNAVAILABLE
 */
export async function loadPromoted(
  promotion: Promotion,
  fetch: FetchArtifact,
  open: OpenForecaster,
): Promise<ServableModel> {
  const artifact = await fetch(promotion);
  const forecaster = await open(artifact);
  try {
    await passSelfTest(artifact.manifest, forecaster);
  } catch (error) {
    await forecaster.close();
    throw error;
  }
  return servableModel(artifact.manifest, forecaster);
}

async function passSelfTest(manifest: Manifest, forecaster: SharedForecaster): Promise<void> {
  const { window, end_time_ms, forecast: expected } = manifest.self_test;
  const cells = Float64Array.from(window, (cell) => cell ?? Number.NaN);
  const actual = await forecaster.predict(cells, Float64Array.of(end_time_ms));
  const close = (value: number, index: number): boolean =>
    Math.abs(value - actual[index]!) <= SELF_TEST_TOLERANCE * Math.max(1, Math.abs(value));
  if (actual.length === expected.length && expected.every(close)) return;
  throw new FltsError(
    "ARTIFACT_INVALID",
    `self test failed: ${manifest.family} of round ${manifest.round} answers ${preview(actual)} to its stored example, ${preview(expected)} when it was made`,
  );
}

const preview = (values: ArrayLike<number>): string => `[${Array.from(values).slice(0, 3).join(", ")} …]`;
