import { z } from "zod";

/**
 * What a pointer says that was not written by FLTS: the reference's own (behaviour §6.4), or one that an operator typed after its validation
 * report (§5.2 A). Only the run counts; the rest is there to be checked against it.
 */
const pointer = z.looseObject({
  run_id: z.string().min(1).optional(),
  model_uri: z.string().optional(),
  model_type: z.string().min(1).optional(),
  config_hash: z.string().optional(),
  identifier: z.string().optional(),
});

export interface Pointer {
  readonly runId: string;
  /** Null where the pointer leaves it open. */
  readonly modelType: string | null;
  readonly configHash: string | null;
  readonly identifier: string | null;
}

/** How the JSON was found; the reference's words (behaviour §3.3). */
export type PointerSource =
  | "direct"
  | "multipart_brace_extract"
  | "multipart_regex_extract"
  | "brace_fallback";

export type PointerReading =
  | { readonly pointer: Pointer; readonly source: PointerSource }
  /** Why it is none; the reference's words where it has them. */
  | { readonly pointer: null; readonly reason: string };

/** Reads a pointer: plain JSON, or the multipart envelope around it that the reference's gateway stored. Total: what is no pointer is told so. */
export function readPointer(bytes: Uint8Array): PointerReading {
  const text = new TextDecoder().decode(bytes);
  const found = findObject(text);
  if ("reason" in found) return { pointer: null, reason: found.reason };
  const parsed = pointer.safeParse(found.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { pointer: null, reason: `${issue?.path.join(".") || "pointer"}: ${issue?.message}` };
  }
  const { run_id, model_uri = "", model_type, config_hash, identifier } = parsed.data;
  const runId = run_id ?? runOfUri(model_uri);
  if (runId === null) return { pointer: null, reason: "it names no run: run_id or model_uri is needed" };
  return {
    pointer: {
      runId,
      modelType: model_type ?? null,
      configHash: config_hash ?? null,
      identifier: identifier ?? null,
    },
    source: found.source,
  };
}

type Found = { readonly value: object; readonly source: PointerSource } | { readonly reason: string };

function findObject(text: string): Found {
  const direct = parseObject(text);
  if (direct !== null) return { value: direct, source: "direct" };
  const multipart = /content-disposition:|^--/im.test(text);
  const first = text.indexOf("{");
  const last = text.lastIndexOf("}");
  if (first < 0 || last < first)
    return { reason: multipart ? "multipart_detected_no_json" : "no_json_detected" };
  const braced = parseObject(text.slice(first, last + 1));
  if (braced !== null)
    return { value: braced, source: multipart ? "multipart_brace_extract" : "brace_fallback" };
  const inner = parseObject(/\{[^{}]*"model_uri"[^{}]*\}/s.exec(text)?.[0] ?? "");
  if (inner !== null) return { value: inner, source: "multipart_regex_extract" };
  return { reason: multipart ? "brace_extract_failed" : "brace_fallback_failed" };
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** `runs:/<run>/<folder>`, or a path of artifacts as MLflow lays it out: `…/<experiment>/<run>/artifacts/<folder>`. */
const runOfUri = (uri: string): string | null =>
  (/^runs:\/+([^/]+)/.exec(uri) ?? /\/([^/]+)\/artifacts(\/|$)/.exec(uri))?.[1] ?? null;
