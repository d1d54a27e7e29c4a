import { FltsError } from "@flts/common/contracts/errors";

/** A model's name in the registry: anything that fits one segment of a path and of MLflow's `models:/name@alias`. @throws TRACKER_REJECTED */
export function assertModelName(name: string): void {
  if (name !== "" && name !== "." && name !== ".." && !/["'`/:\\\p{Cc}]/u.test(name)) return;
  throw new FltsError(
    "TRACKER_REJECTED",
    `A model's name is not empty and has no slashes, colons, quotes or control characters: ${JSON.stringify(name)}`,
  );
}

/** An alias as MLflow allows it: `latest` and `v1` mean something else there. @throws TRACKER_REJECTED */
export function assertModelAlias(alias: string): void {
  if (/^[\w-]{1,255}$/.test(alias) && !/^(latest|v\d+)$/i.test(alias)) return;
  throw new FltsError(
    "TRACKER_REJECTED",
    `A model's alias is letters, digits, _ and -, but neither latest nor v and a number: ${JSON.stringify(alias)}`,
  );
}
