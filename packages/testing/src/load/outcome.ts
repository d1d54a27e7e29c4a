/** What became of a run's requests. */
export interface LoadRecorder {
  /**
   * @param latencyMs from the moment the request was meant to start
   * @param lateMs of it until the request was sent: the generator's share
   */
  record(status: number, latencyMs: number, lateMs?: number): void;
  summary(seconds: number): LoadSummary;
}

export interface LoadSummary {
  /** Answers with status 200, per second from the first request to the last answer. */
  readonly requestsPerSecond: number;
  /** Of the answers with status 200. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late requests were sent, of all: what the latencies owe to the generator at least. 0 where no schedule says when. */
  readonly lateP99Ms: number;
  /** From the moment a request was sent to its answer, of the answers with status 200. */
  readonly servedP99Ms: number;
  readonly answered: number;
  /** Answers with status 429, which are no failures: the client was told at once. */
  readonly refused: number;
  /** Time to a refusal; 0 without any. */
  readonly refusalP99Ms: number;
  /** Everything else, lost connections among them. */
  readonly failures: number;
  readonly byStatus: Readonly<Record<string, number>>;
}

const OK = 200;
const TOO_MANY = 429;

export function createRecorder(): LoadRecorder {
  const latencies = new Map<number, number[]>();
  const late: number[] = [];
  const served: number[] = [];
  return {
    record(status, latencyMs, lateMs = 0) {
      late.push(lateMs);
      if (status === OK) served.push(latencyMs - lateMs);
      const known = latencies.get(status);
      if (known === undefined) latencies.set(status, [latencyMs]);
      else known.push(latencyMs);
    },
    summary(seconds) {
      const [answered, refused] = [sorted(latencies.get(OK)), sorted(latencies.get(TOO_MANY))];
      const counts = [...latencies].map(([status, { length }]): [string, number] => [String(status), length]);
      const total = counts.reduce((sum, [, count]) => sum + count, 0);
      return {
        requestsPerSecond: round(answered.length / seconds, 0),
        p50Ms: round(quantile(answered, 0.5)),
        p99Ms: round(quantile(answered, 0.99)),
        maxMs: round(quantile(answered, 1)),
        lateP99Ms: round(quantile(sorted(late), 0.99)),
        servedP99Ms: round(quantile(sorted(served), 0.99)),
        answered: answered.length,
        refused: refused.length,
        refusalP99Ms: round(quantile(refused, 0.99)),
        failures: total - answered.length - refused.length,
        byStatus: Object.fromEntries(counts),
      };
    },
  };
}

const sorted = (values: readonly number[] = []): Float64Array => Float64Array.from(values).toSorted();

/** The nearest-rank quantile; 0 of nothing. */
const quantile = (rising: Float64Array, share: number): number =>
  rising[Math.max(0, Math.ceil(share * rising.length) - 1)] ?? 0;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
