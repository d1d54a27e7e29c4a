import { assignPartitions } from "../assignment.ts";
import type { LogFile } from "./log-file.ts";
import type { Assignment, LogGroups } from "./log-groups.ts";
import type { Member } from "./log-member.ts";

/** How a member's holdings and the records of its group come to agree. */
export interface LogAlignment {
  /** Forgets what the member no longer owns, gives back what somebody else should have, takes what it should have. */
  align(member: Member): void;
}

export interface AlignmentEvents {
  onLost(member: Member, name: string): void;
  /** Ownership was written that others should look at. */
  onChange(): void;
}

export function createLogAlignment(
  file: LogFile,
  groups: LogGroups,
  { onLost, onChange }: AlignmentEvents,
): LogAlignment {
  const take = (member: Member, { name, topic, partition }: Assignment): void => {
    const claimed = groups.claim(member.id, member.group, topic, partition);
    if (!claimed) return;
    member.holdings.set(name, {
      name,
      topic,
      partition,
      generation: claimed.generation,
      state: "idle",
      handed: -1n,
      next: BigInt(claimed.committed ?? 0),
      unwanted: false,
    });
  };

  return {
    align: (member) => {
      const assignments = groups.assignments(member.group);
      const byName = new Map(assignments.map((assignment) => [assignment.name, assignment]));
      for (const { name, generation } of member.holdings.values()) {
        const record = byName.get(name);
        if (record?.owner !== member.id || record.generation !== generation) onLost(member, name);
      }
      if (member.draining) return;
      const present = groups.members().filter(({ group }) => group === member.group);
      const wanted = assignPartitions(assignments, present);
      for (const holding of member.holdings.values()) {
        holding.unwanted = wanted.get(holding.name) !== member.id;
      }
      const surplus = [...member.holdings.values()].filter(
        ({ unwanted, state }) => unwanted && state !== "handed",
      );
      const free = assignments.filter(({ name, owner }) => owner === null && wanted.get(name) === member.id);
      // A record that names this member without its knowledge is left from a transaction that failed halfway.
      const stray = assignments.filter(
        ({ name, owner }) => owner === member.id && !member.holdings.has(name),
      );
      if (surplus.length + free.length + stray.length === 0) return;
      file.transaction("quick", () => {
        for (const { topic, partition } of [...surplus, ...stray])
          groups.release(member.id, topic, partition);
        for (const assignment of free) take(member, assignment);
        groups.touchMembership();
      });
      for (const { name } of surplus) member.holdings.delete(name);
      onChange();
    },
  };
}
