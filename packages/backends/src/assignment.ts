export interface GroupMember {
  readonly id: string;
  readonly topics: readonly string[];
}

export interface PartitionSlot {
  readonly name: string;
  readonly topic: string;
  /** The member that owns it at present, or null. */
  readonly owner: string | null;
}

/**
 * Which member should own which partition: every partition that somebody subscribes to has an owner, loads differ by one
 * at most among members that could share, and nothing moves that need not. Every member computes it for itself from the
 * same records, so it must depend on nothing else.
 *
 * @returns the wanted owner's id by partition name; a partition without a subscriber is absent
 */
export function assignPartitions(
  slots: readonly PartitionSlot[],
  members: readonly GroupMember[],
): ReadonlyMap<string, string> {
  const sorted = members.toSorted((a, b) => compare(a.id, b.id));
  const load = new Map(sorted.map((member) => [member.id, 0]));
  const owners = new Map<string, string>();
  const give = (slot: PartitionSlot, id: string): void => {
    const previous = owners.get(slot.name);
    if (previous !== undefined) load.set(previous, loadOf(previous) - 1);
    owners.set(slot.name, id);
    load.set(id, loadOf(id) + 1);
  };
  const loadOf = (id: string): number => load.get(id) ?? 0;
  const leastLoaded = (slot: PartitionSlot): string | null => {
    let best: string | null = null;
    for (const { id, topics } of sorted) {
      if (topics.includes(slot.topic) && (best === null || loadOf(id) < loadOf(best))) best = id;
    }
    return best;
  };

  const ordered = slots.toSorted((a, b) => compare(a.name, b.name));
  for (const slot of ordered) {
    const owner = sorted.find(({ id, topics }) => id === slot.owner && topics.includes(slot.topic));
    if (owner) give(slot, owner.id);
  }
  for (const slot of ordered) {
    const id = owners.has(slot.name) ? null : leastLoaded(slot);
    if (id !== null) give(slot, id);
  }
  // Each move lowers the sum of squared loads, so this ends.
  for (let moved = true; moved; ) {
    moved = false;
    for (const slot of ordered) {
      const from = owners.get(slot.name);
      const to = from === undefined ? null : leastLoaded(slot);
      if (from === undefined || to === null || loadOf(from) - loadOf(to) < 2) continue;
      give(slot, to);
      moved = true;
    }
  }
  return owners;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
