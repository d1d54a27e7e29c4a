import type { Forecaster } from "@flts/forecasting/forecaster";
import type { Artifact } from "./artifact.ts";
import type { Manifest } from "./manifest.ts";
import { familyOf } from "./registry.ts";

/** A loaded model: what it says of itself, and what it forecasts. */
export interface Model {
  readonly manifest: Manifest;
  readonly forecaster: Forecaster;
  close(): Promise<void>;
}

/** Loads a fetched artifact. @throws MODEL_UNKNOWN, ARTIFACT_INVALID */
export async function loadModel({ manifest, files }: Artifact): Promise<Model> {
  const forecaster = await familyOf(manifest.family).load(files, manifest);
  return { manifest, forecaster, close: () => forecaster.close() };
}
