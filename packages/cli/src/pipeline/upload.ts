import { openAsBlob } from "node:fs";
import { FltsError } from "@flts/common/contracts/errors";
import { buckets } from "@flts/common/contracts/layout";
import type { DataFile, Dataset } from "./dataset.ts";

/**
 * Puts a station's files into the `dataset` bucket, through the gateway as every client does.
 * @throws INPUT_MISSING when the gateway refuses one, with its reason; STORE_UNAVAILABLE when it, or its store, is away; the reason of `signal`
 */
export async function uploadDataset(
  gatewayUrl: string,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<void> {
  for (const file of [dataset.train, dataset.test]) {
    const { status, text } = await post(gatewayUrl, file, signal);
    if (status < 400) continue;
    const name = "path" in file ? file.path : file.name;
    throw new FltsError(
      status === 503 ? "STORE_UNAVAILABLE" : "INPUT_MISSING",
      `the gateway refused ${name} (${status}): ${detailOf(text)}`,
    );
  }
}

async function post(
  gatewayUrl: string,
  file: DataFile,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = `${gatewayUrl}/upload/${buckets.dataset}/${encodeURIComponent(file.name)}`;
  const body = "path" in file ? await openAsBlob(file.path) : new Blob([file.bytes]);
  try {
    const answer = await fetch(url, { method: "POST", body, signal });
    return { status: answer.status, text: await answer.text() };
  } catch (cause) {
    signal.throwIfAborted();
    throw new FltsError("STORE_UNAVAILABLE", `the gateway ${gatewayUrl} went away over ${file.name}`, cause);
  }
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
