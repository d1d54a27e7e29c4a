import { HttpError } from "@flts/common/service/http";

/** The name of the header that says how long a client waits for its answer; relative, because clocks of two machines differ. */
export const TIMEOUT_HEADER = "x-request-timeout-ms";

/** Milliseconds that the client waits; null where it does not say. @throws HttpError 400 */
export function timeoutOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const timeoutMs = /^\d{1,9}$/.test(header) ? Number(header) : 0;
  if (timeoutMs < 1)
    throw new HttpError(400, `Header ${TIMEOUT_HEADER} must be a whole number of milliseconds from 1 on`);
  return timeoutMs;
}
