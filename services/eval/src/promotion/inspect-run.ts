import { readDocument } from "@flts/common/claim-check/documents";
import { candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { FltsError } from "@flts/common/contracts/errors";
import { sha256, stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Run, RunTracker } from "@flts/common/ports/run-tracker";
import { fetchArtifact, MANIFEST } from "@flts/families/artifact";
import type { Manifest } from "@flts/families/manifest";
import { loadModel } from "@flts/families/model";

/** A run whose files are all there, have the digests they should have, and make a model that loads. */
export interface InspectedRun {
  readonly run: Run;
  readonly manifest: Manifest;
  readonly manifestSha256: string;
}

export interface InspectDeps {
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly promotionBucket: string;
}

export interface RunOrder {
  readonly runId: string;
  /** The station it shall serve. */
  readonly identifier: string;
  /** The family it should be of; null to take what it is. */
  readonly family: string | null;
  /** The digest its manifest must have; null where nobody said. */
  readonly manifestSha256: string | null;
}

/**
 * Looks at everything that must be true of a run before it may be promoted by hand, whoever asks. None of it can be overridden.
 * @throws RUN_MISSING when there is no such run or it was never finished; ARTIFACT_INVALID, MODEL_UNKNOWN when its files are not what they should be;
 * PROMOTION_REFUSED when it is another station's, or its work has another result; TRACKER_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function inspectRun(order: RunOrder, deps: InspectDeps): Promise<InspectedRun> {
  const { runId, identifier } = order;
  const run = await deps.tracker.getRun(runId);
  if (run === null) throw new FltsError("RUN_MISSING", `there is no run ${runId}`);
  const family = order.family ?? run.tags["model_type"] ?? (await familyIn(runId, deps.tracker));
  const manifestBytes = await deps.tracker.getArtifact(runId, `${family}/${MANIFEST}`);
  if (manifestBytes === null)
    throw new FltsError(
      "RUN_MISSING",
      `run ${runId} has no ${family}/${MANIFEST}: its training was never finished, or its artifacts were removed`,
    );
  const manifestSha256 = order.manifestSha256 ?? sha256(manifestBytes);
  const artifact = await fetchArtifact(deps.tracker, { runId, family, manifestSha256 });
  const { manifest } = artifact;
  if (stationOf(manifest.identifier) !== stationOf(identifier))
    throw new FltsError(
      "PROMOTION_REFUSED",
      `run ${runId} was trained for station ${stationOf(manifest.identifier)}, not for ${stationOf(identifier)}`,
    );
  await assertVisible(runId, manifest, manifestSha256, deps);
  await (await loadModel(artifact)).close();
  return { run, manifest, manifestSha256 };
}

/** The folder of a run that holds a model. */
async function familyIn(runId: string, tracker: RunTracker): Promise<string> {
  const paths = await tracker.listArtifacts(runId, "");
  const found = paths.find((path) => path.endsWith(`/${MANIFEST}`));
  if (found === undefined)
    throw new FltsError("RUN_MISSING", `run ${runId} has no model: no ${MANIFEST} among its artifacts`);
  return found.slice(0, -MANIFEST.length - 1);
}

/** Of several runs of one work only one is its result; the candidate says which, and what its manifest was then. */
async function assertVisible(
  runId: string,
  { round, family, work_key }: Manifest,
  manifestSha256: string,
  { store, promotionBucket: bucket }: InspectDeps,
): Promise<void> {
  const ref = { bucket, key: keys.candidate(round, family, work_key) };
  const candidate = (await readDocument(store, ref, candidateSchema, "POINTER_INVALID"))?.document;
  if (candidate === undefined) return;
  if (candidate.run_id !== runId)
    throw new FltsError(
      "PROMOTION_REFUSED",
      `run ${runId} is not the result of its training: that is run ${candidate.run_id ?? "(none, it failed)"}`,
    );
  if (candidate.manifest_sha256 !== manifestSha256)
    throw new FltsError(
      "ARTIFACT_INVALID",
      `the manifest of run ${runId} has sha256 ${manifestSha256}, its training left ${candidate.manifest_sha256}`,
    );
}
