import { openAsBlob } from "node:fs";
import { FltsError } from "@flts/common/contracts/errors";
import { buckets } from "@flts/common/contracts/layout";
import type { DataFile, Dataset } from "./dataset.ts";

/** Puts a station's files into the `dataset` bucket, through the gateway as every client does. */
export async function uploadDataset(gatewayUrl: string, dataset: Dataset): Promise<void> {
  for (const file of [dataset.train, dataset.test]) await upload(gatewayUrl, file);
}

/** @throws INPUT_MISSING when the gateway refuses the file, with its reason */
async function upload(gatewayUrl: string, file: DataFile): Promise<void> {
  const url = `${gatewayUrl}/upload/${buckets.dataset}/${encodeURIComponent(file.name)}`;
  const body = "path" in file ? await openAsBlob(file.path) : new Blob([file.bytes]);
  const answer = await fetch(url, { method: "POST", body });
  const text = await answer.text();
  if (answer.ok) return;
  throw new FltsError(
    "INPUT_MISSING",
    `the gateway refused ${"path" in file ? file.path : file.name} (${answer.status}): ${detailOf(text)}`,
  );
}

/** What our services say of a refusal: `{"detail": …}`. */
export function detailOf(body: string): string {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer === "object" && answer !== null && "detail" in answer)
      return typeof answer.detail === "string" ? answer.detail : JSON.stringify(answer.detail);
  } catch {
    // No JSON: the text itself, then.
  }
  return body.slice(0, 300);
}
