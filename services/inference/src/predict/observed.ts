import type { Clock } from "@flts/common/ports/clock";
import { refusalOf } from "@flts/common/service/http";

export interface RequestReport {
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly error?: unknown;
}

/** What became of a request, in the reference's words (behaviour §7.7). */
export type Outcome = "success" | "client_error" | "queue_full" | "skipped" | "timeout" | "server_error";

export interface Observing {
  readonly clock: Clock;
  readonly observe: (report: RequestReport) => void;
}

/** Does the work of a request for a forecast, and tells what became of it. @throws what the work throws */
export async function observed<T>({ clock, observe }: Observing, work: () => Promise<T>): Promise<T> {
  const begun = clock.monotonicMs();
  const durationMs = (): number => clock.monotonicMs() - begun;
  try {
    const result = await work();
    observe({ outcome: "success", durationMs: durationMs() });
    return result;
  } catch (error) {
    observe({ outcome: outcomeOf(error), durationMs: durationMs(), error });
    throw error;
  }
}

export function outcomeOf(error: unknown): Outcome {
  const { status } = refusalOf(error);
  if (status === 429) return "queue_full";
  if (status === 503) return "skipped";
  if (status === 504) return "timeout";
  return status < 500 ? "client_error" : "server_error";
}
