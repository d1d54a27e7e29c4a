export interface MemberSpec {
  readonly id: string;
  readonly group: string;
  readonly topics: readonly string[];
  readonly from: "earliest" | "latest";
  /** Most deliveries in flight; null for no limit but one per partition. */
  readonly maxInFlight: number | null;
}

/** One member's time with one partition. */
export interface HoldingKey {
  readonly topic: string;
  readonly partition: number;
  readonly generation: number;
}

/** A member of a group in this process. */
export interface Member extends MemberSpec {
  /** What it owns, by the partition's name; who waits longest for a delivery comes first. */
  readonly holdings: Map<string, Holding>;
  inFlight: number;
  /** It is about to leave: nothing more is delivered, and it takes no more. */
  draining: boolean;
}

export interface Holding extends HoldingKey {
  readonly name: string;
  state: "idle" | "handed" | "blocked";
  /** Offset of the delivery in flight. */
  handed: bigint;
  /** Offset of the next delivery. */
  next: bigint;
  /** Somebody else should have it. */
  unwanted: boolean;
}

export function findHolding(member: Member | undefined, key: HoldingKey): Holding | null {
  for (const holding of member?.holdings.values() ?? []) {
    if (holding.topic !== key.topic || holding.partition !== key.partition) continue;
    return holding.generation === key.generation ? holding : null;
  }
  return null;
}

export const keyOf = ({ topic, partition, generation }: Holding): HoldingKey => ({
  topic,
  partition,
  generation,
});
