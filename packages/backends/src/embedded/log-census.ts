import type { Clock } from "@flts/common/ports/clock";
import { createLeaseWatch } from "./lease-watch.ts";
import type { LogGroups } from "./log-groups.ts";
import type { Member, MemberSpec } from "./log-member.ts";
import { isCertainlyGone, type ProcessIdentity } from "./process-identity.ts";

/** Who lives: this process's members show it, and those of others that do not are removed. Called within transactions. */
export interface LogCensus {
  /** Enters a member of this process into the records. */
  enter(member: MemberSpec): void;
  /** Shows that the members live; one that was taken for dead enters again. @returns whether membership has changed */
  beat(members: ReadonlyMap<string, Member>): boolean;
  /** Removes members of other processes that are gone or silent. @returns whether there were any */
  removeTheDead(members: ReadonlyMap<string, Member>): boolean;
}

export interface CensusOptions {
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly process: ProcessIdentity;
}

/** How many beats fit into a lease: several may be late before it runs out. */
export const beatsPerLease = 6;

export function createLogCensus(groups: LogGroups, options: CensusOptions): LogCensus {
  const { leaseMs, clock, process: own } = options;
  const watch = createLeaseWatch(leaseMs, (2 * leaseMs) / beatsPerLease);
  /** Never the same twice, so that a member that enters again is not taken for the silent one that it was. */
  let lastBeat = 0;
  const nextBeat = (): number => (lastBeat += 1);

  const enter = ({ id, group, topics }: MemberSpec): void =>
    groups.addMember({ id, group, topics, process: own, beat: nextBeat() });

  return {
    enter,
    beat: (members) => {
      const removed = [...members.values()].filter(({ id }) => !groups.setBeat(id, nextBeat()));
      for (const member of removed) enter(member);
      return removed.length > 0;
    },
    removeTheDead: (members) => {
      const others = groups.members().filter(({ id }) => !members.has(id));
      const beats = new Map(others.map(({ id, beat }) => [id, beat]));
      const silent = watch.observe(clock.monotonicMs(), beats);
      const dead = others.filter(({ id, process }) => silent.includes(id) || isCertainlyGone(process, own));
      for (const { id, beat } of dead) groups.removeMember(id, beat);
      return dead.length > 0;
    },
  };
}
