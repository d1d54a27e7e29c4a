import { FltsError } from "@flts/common/contracts/errors";
import { sha256 } from "@flts/common/contracts/identity";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { type Manifest, manifest as manifestSchema } from "./manifest.ts";

/** The files of a trained model in its run, under `<FAMILY>/`, and the manifest that lists them: written last, verified first. */
export interface Artifact {
  readonly manifest: Manifest;
  /** By their name inside the family's folder; without the manifest itself. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export const MANIFEST = "manifest.json";

export interface ArtifactName {
  readonly runId: string;
  readonly family: string;
  /** Given by whoever promoted the run; the manifest must have it. */
  readonly manifestSha256: string | null;
}

/** The bytes of a manifest: what its digest is taken of. */
export const encodeManifest = (manifest: Manifest): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);

/** Stores a model's files in its run and the manifest after them, so that a manifest never lists what is not there. */
export async function storeArtifact(tracker: RunTracker, runId: string, artifact: Artifact): Promise<void> {
  const { family } = artifact.manifest;
  for (const [name, bytes] of artifact.files) await tracker.putArtifact(runId, `${family}/${name}`, bytes);
  await tracker.putArtifact(runId, `${family}/${MANIFEST}`, encodeManifest(artifact.manifest));
}

/**
 * Fetches a model's files and holds each one to its digest.
 * @throws RUN_MISSING when the run has no such manifest, ARTIFACT_INVALID when a file is missing or has other bytes, TRACKER_UNAVAILABLE
 */
export async function fetchArtifact(
  tracker: RunTracker,
  { runId, family, manifestSha256 }: ArtifactName,
): Promise<Artifact> {
  const path = `${family}/${MANIFEST}`;
  const bytes = await tracker.getArtifact(runId, path);
  if (bytes === null)
    throw new FltsError("RUN_MISSING", `run ${runId} has no ${path}: it was never finished, or was removed`);
  const actual = sha256(bytes);
  if (manifestSha256 !== null && actual !== manifestSha256)
    throw new FltsError(
      "ARTIFACT_INVALID",
      `${path} of run ${runId} has sha256 ${actual}, ${manifestSha256} was promoted`,
    );
  const manifest = parseManifest(bytes, `${path} of run ${runId}`);
  const files = new Map<string, Uint8Array>();
  for (const [name, { sha256: expected }] of Object.entries(manifest.files)) {
    const file = await tracker.getArtifact(runId, `${family}/${name}`);
    if (file === null)
      throw new FltsError(
        "ARTIFACT_INVALID",
        `run ${runId} lacks ${family}/${name}, which its manifest lists`,
      );
    const found = sha256(file);
    if (found !== expected)
      throw new FltsError(
        "ARTIFACT_INVALID",
        `integrity check failed: ${family}/${name} of run ${runId} has sha256 ${found}, its manifest says ${expected}`,
      );
    files.set(name, file);
  }
  return { manifest, files };
}

/** @throws ARTIFACT_INVALID naming the field at fault */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FltsError("ARTIFACT_INVALID", `${what} is not JSON`, cause);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new FltsError("ARTIFACT_INVALID", `${what}: ${faults.join("; ")}`);
}
