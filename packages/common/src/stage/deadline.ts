/** The reference's header: until when a message is worth handling, in ASCII digits, milliseconds since 1970 UTC (reference behaviour §2.3). */
export const DEADLINE_HEADER = "deadline_ms";

/** Whether a message's deadline has passed. Without one, or with something else than a number, it never does. */
export function hasExpired(headers: Readonly<Record<string, string>>, nowMs: number): boolean {
  const text = headers[DEADLINE_HEADER];
  return text !== undefined && /^\d{1,16}$/.test(text) && Number(text) < nowMs;
}
