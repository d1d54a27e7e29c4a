import { canonicalJson, sha256 } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Scaling } from "@flts/common/scaler/scaling";

/** What a model's version follows from. */
export interface ModelTraits {
  readonly model_type: string;
  readonly feature_schema?: string | undefined;
  readonly settings_sha256?: string | undefined;
}

/** The traits of a trained model. Its feature schema is that of the table it was trained on: a family that reads only some of its columns has no other. */
export function traitsOf({ family, scaling, targets, settings }: Described) {
  return {
    model_type: family,
    feature_schema: sha256(canonicalJson(["features/1", featuresOf(scaling), targets])),
    settings_sha256: sha256(canonicalJson(["settings/1", settings])),
  };
}

/** Columns of the table that a model was trained on, in order: limits are fitted for each of them. */
export const featuresOf = ({ columns }: Pick<Scaling, "columns">): readonly string[] =>
  columns.map(({ column }) => column);

interface Described {
  readonly family: string;
  readonly scaling: Pick<Scaling, "columns">;
  readonly targets: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface GivenVersion {
  readonly version: string;
  readonly highest_version: string;
}

/**
 * The version of a model that follows a champion: major when the columns of its table or the targets it forecasts changed, minor when its family or its settings did,
 * patch when it is the same trained anew. It is counted from the highest version given so far, so that none is given twice, also after a rollback.
 */
export function nextVersion(champion: Promotion | null, model: ModelTraits): GivenVersion {
  const version = champion === null ? "1.0.0" : bump(champion, model);
  return { version, highest_version: version };
}

/** A model that was promoted before keeps its version. */
export const keptVersion = (champion: Promotion, version: string): GivenVersion => ({
  version,
  highest_version: champion.highest_version ?? version,
});

function bump(champion: Promotion, model: ModelTraits): string {
  const [major = 1, minor = 0, patch = 0] = (champion.highest_version ?? "1.0.0").split(".").map(Number);
  if (champion.feature_schema !== model.feature_schema) return `${major + 1}.0.0`;
  if (champion.model_type !== model.model_type || champion.settings_sha256 !== model.settings_sha256)
    return `${major}.${minor + 1}.0`;
  return `${major}.${minor}.${patch + 1}`;
}
