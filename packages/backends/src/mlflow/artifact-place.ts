import { FltsError } from "@flts/common/contracts/errors";

/** Where a run's files lie: behind MLflow's own proxy, or in a bucket that we reach ourselves. */
export type ArtifactPlace =
  | { readonly kind: "proxy"; readonly root: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly root: string };

/** Reads a run's artifact URI. Roots have no slash at either end. @throws CONFIG_INVALID for a place that FLTS does not reach */
export function placeOf(artifactUri: string): ArtifactPlace {
  const proxy = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(?<root>.+?)\/*$/.exec(artifactUri)?.groups;
  if (proxy?.["root"] !== undefined) return { kind: "proxy", root: proxy["root"] };
  const s3 = /^s3:\/\/(?<bucket>[^/]+)\/+(?<root>.+?)\/*$/.exec(artifactUri)?.groups;
  if (s3?.["bucket"] !== undefined && s3["root"] !== undefined)
    return { kind: "s3", bucket: s3["bucket"], root: s3["root"] };
  throw new FltsError(
    "CONFIG_INVALID",
    `MLflow keeps files at ${artifactUri}, which FLTS does not reach: start it with --artifacts-destination s3://<bucket>, or delete the experiment and let it begin anew`,
  );
}
