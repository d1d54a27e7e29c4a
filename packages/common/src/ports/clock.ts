/** Time as a dependency, so that a whole pipeline can be simulated. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01 UTC. For labels and logs only: no decision compares two machines' clocks. */
  now(): number;
  /** Milliseconds of a clock that never jumps. For time-outs and leases. */
  monotonicMs(): number;
  /** Resolves after `ms`; returns at once, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
