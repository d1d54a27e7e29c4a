import { FltsError } from "@flts/common/contracts/errors";

/** An artifact's path is relative, with plain segments, such as `LSTM/model.onnx`. @throws TRACKER_REJECTED */
export function assertArtifactPath(path: string): void {
  const plain = path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
  if (plain && !path.includes("\\") && !path.includes("\0")) return;
  throw new FltsError(
    "TRACKER_REJECTED",
    `An artifact's path is relative and has no empty or dotted segments: ${path}`,
  );
}
