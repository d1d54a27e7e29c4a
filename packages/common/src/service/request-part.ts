import type { z } from "zod";
import { HttpError } from "./http.ts";

/** Holds a part of a request to its schema. @throws HttpError 400 naming the field */
export function parsePart<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    issue.code === "unrecognized_keys"
      ? `${issue.keys.join(", ")}: not known here`
      : `${issue.path.join(".") || what}: ${issue.message}`,
  );
  throw new HttpError(400, faults.join("; "));
}
