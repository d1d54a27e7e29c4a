/** Tells who has stopped beating, by this observer's own clock alone. */
export interface LeaseWatch {
  /**
   * Takes note of every beat counter at a time of the observer's monotonic clock.
   * @returns the members whose counter has stood still for the lease time; one that is not mentioned is forgotten
   */
  observe(nowMs: number, beats: ReadonlyMap<string, number>): readonly string[];
}

/**
 * Counts only time during which this observer was itself awake: between two observations `longestStepMs` at most. After the whole
 * machine, or just this process, was frozen, everybody has a full lease to show a beat.
 */
export function createLeaseWatch(leaseMs: number, longestStepMs: number): LeaseWatch {
  let seen = new Map<string, { readonly beat: number; readonly stillMs: number }>();
  let lastMs: number | null = null;
  return {
    observe: (nowMs, beats) => {
      const stepMs = Math.min(nowMs - (lastMs ?? nowMs), longestStepMs);
      lastMs = nowMs;
      const next = new Map<string, { readonly beat: number; readonly stillMs: number }>();
      for (const [member, beat] of beats) {
        const before = seen.get(member);
        next.set(member, { beat, stillMs: before?.beat === beat ? before.stillMs + stepMs : 0 });
      }
      seen = next;
      return [...next].filter(([, { stillMs }]) => stillMs >= leaseMs).map(([member]) => member);
    },
  };
}
