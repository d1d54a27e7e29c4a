/**
 * The embedded log's work on its file, synchronous and without timers: a worker thread drives it, a test can.
 *
 * Invariants:
 * - L1 What a member may do with a partition is decided by the record: owner and generation are checked in the transaction that commits.
 * - L2 A partition changes hands only when its owner gives it back, leaves, or has not beaten for the lease time.
 * - L3 A partition on which a handler is at work is given back after the handler has settled.
 * - L4 Nothing is written when nothing has changed, except beats, of which nobody is told: otherwise processes would wake each other for ever.
 */
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { OutgoingMessage, PartitionLag, StoredMessage, TopicSpec } from "@flts/common/ports/message-log";
import { assignPartitions } from "./assignment.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import type { LogFile } from "./log-file.ts";
import { type Assignment, createLogGroups } from "./log-groups.ts";
import { createLogRecords, type Retention } from "./log-records.ts";
import { isCertainlyGone, type ProcessIdentity } from "./process-identity.ts";

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

export interface EngineEvents {
  onDelivery(member: string, holding: HoldingKey, message: StoredMessage): void;
  /** The partition has moved on; a delivery in flight is nobody's business any more. */
  onLost(member: string, holding: HoldingKey): void;
  /** Something was written that other processes should look at. */
  onChange(): void;
}

export interface LogEngine {
  ensureTopics(topics: readonly TopicSpec[]): void;
  publish(messages: readonly OutgoingMessage[], nowMs: number): void;
  join(member: MemberSpec): void;
  /** Delivers no more to the member; it keeps what it has. */
  drain(member: string): void;
  leave(member: string): void;
  /** @returns false when the partition has moved on */
  commit(member: string, holding: HoldingKey, next: bigint): boolean;
  /** The handler of the delivery in flight has ended, committed or not. */
  settle(member: string, holding: HoldingKey): void;
  lag(group: string, topics: readonly string[]): readonly PartitionLag[];
  /** Messages of a partition from an offset on, as many as fit a page. */
  page(topic: string, partition: number, from: bigint): readonly StoredMessage[];
  removeGroup(group: string): void;
  /** Looks for what others have done: new messages, partitions to take or to give. Cheap when there is nothing. */
  wake(): void;
  /** Shows that the members of this process live, and removes those of others that do not. Due every sixth of the lease. */
  beat(): void;
  /** Deletes what retention no longer keeps, a little at a time. @returns whether there is more to delete */
  sweep(): boolean;
  /** How many partitions each member owns. */
  holdings(): ReadonlyMap<string, number>;
}

export interface EngineOptions {
  readonly leaseMs: number;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly process: ProcessIdentity;
}

/** How many beats fit into a lease: several may be late before it runs out. */
export const beatsPerLease = 6;
const pageMessages = 64;

interface Member extends MemberSpec {
  readonly holdings: Map<string, Holding>;
  inFlight: number;
  draining: boolean;
}

interface Holding extends HoldingKey {
  readonly name: string;
  state: "idle" | "handed" | "blocked";
  /** Offset of the delivery in flight. */
  handed: bigint;
  /** Offset of the next delivery. */
  next: bigint;
  /** Somebody else should have it (L3). */
  unwanted: boolean;
}

export function createLogEngine(file: LogFile, events: EngineEvents, options: EngineOptions): LogEngine {
  const { leaseMs, retention, clock } = options;
  const records = createLogRecords(file);
  const groups = createLogGroups(file);
  const watch = createLeaseWatch(leaseMs, (2 * leaseMs) / beatsPerLease);
  const members = new Map<string, Member>();
  let seenMembership = -1;

  /** Never the same twice, so that a member that enters again is not taken for the silent one that it was. */
  let lastBeat = 0;
  const nextBeat = (): number => (lastBeat += 1);

  const enter = ({ id, group, topics }: MemberSpec): void =>
    groups.addMember({ id, group, topics, process: options.process, beat: nextBeat() });

  const removeTheDead = (): boolean => {
    const others = groups.members().filter(({ id }) => !members.has(id));
    const beats = new Map(others.map(({ id, beat }) => [id, beat]));
    const silent = watch.observe(clock.monotonicMs(), beats);
    const dead = others.filter(
      ({ id, process }) => silent.includes(id) || isCertainlyGone(process, options.process),
    );
    for (const { id, beat } of dead) groups.removeMember(id, beat);
    return dead.length > 0;
  };

  const lose = (member: Member, holding: Holding): void => {
    member.holdings.delete(holding.name);
    events.onLost(member.id, keyOf(holding));
  };

  /** Brings a member's holdings in line with the records, and the records in line with what they should be. */
  const align = (member: Member): void => {
    const assignments = groups.assignments(member.group);
    const byName = new Map(assignments.map((assignment) => [assignment.name, assignment]));
    for (const holding of member.holdings.values()) {
      const record = byName.get(holding.name);
      if (record?.owner !== member.id || record.generation !== holding.generation) lose(member, holding);
    }
    if (member.draining) return;
    const wanted = assignPartitions(
      assignments,
      groups.members().filter(({ group }) => group === member.group),
    );
    for (const holding of member.holdings.values()) holding.unwanted = wanted.get(holding.name) !== member.id;
    const surplus = [...member.holdings.values()].filter(
      ({ unwanted, state }) => unwanted && state !== "handed",
    );
    const free = assignments.filter(({ name, owner }) => owner === null && wanted.get(name) === member.id);
    // A record that names this member without its knowledge is left from before its lease ran out.
    const stray = assignments.filter(({ name, owner }) => owner === member.id && !member.holdings.has(name));
    if (surplus.length + free.length + stray.length === 0) return; // L4
    file.transaction("quick", () => {
      for (const { topic, partition } of [...surplus, ...stray]) groups.release(member.id, topic, partition);
      for (const assignment of free) take(member, assignment);
      groups.touchMembership();
    });
    for (const { name } of surplus) member.holdings.delete(name);
    events.onChange();
  };

  const take = (member: Member, { name, topic, partition }: Assignment): void => {
    const claimed = groups.claim(member.id, member.group, topic, partition);
    if (!claimed) return;
    const next = BigInt(claimed.committed ?? 0);
    const { generation } = claimed;
    const state = "idle" as const;
    member.holdings.set(name, {
      name,
      topic,
      partition,
      generation,
      state,
      handed: -1n,
      next,
      unwanted: false,
    });
  };

  const deliver = (member: Member): void => {
    if (member.draining) return;
    const idle = [...member.holdings.values()].filter(({ state, unwanted }) => state === "idle" && !unwanted);
    for (const holding of idle) {
      if (member.inFlight >= (member.maxInFlight ?? Number.POSITIVE_INFINITY)) return;
      const [message] = records.read(holding.topic, holding.partition, Number(holding.next), 1);
      if (!message) continue;
      holding.state = "handed";
      holding.handed = message.offset;
      member.inFlight += 1;
      // To the end of the queue: no partition starves another.
      member.holdings.delete(holding.name);
      member.holdings.set(holding.name, holding);
      events.onDelivery(member.id, keyOf(holding), message);
    }
  };

  const tellAll = (): void => {
    events.onChange();
    wake();
  };

  const wake = (): void => {
    for (let version = groups.membershipVersion(); version !== seenMembership; ) {
      seenMembership = version;
      for (const member of members.values()) align(member);
      version = groups.membershipVersion();
    }
    for (const member of members.values()) deliver(member);
  };

  const find = (member: string, { topic, partition, generation }: HoldingKey): Holding | null => {
    for (const holding of members.get(member)?.holdings.values() ?? []) {
      if (holding.topic === topic && holding.partition === partition) {
        return holding.generation === generation ? holding : null;
      }
    }
    return null;
  };

  return {
    ensureTopics: (topics) => {
      file.transaction("durable", () => {
        for (const topic of topics) records.ensureTopic(topic);
        for (const { group, topics: names } of groups.members()) {
          for (const name of names) groups.addAssignments(group, name);
        }
        groups.touchMembership();
      });
      tellAll();
    },
    publish: (messages, nowMs) => {
      file.transaction("durable", () => {
        for (const message of messages) records.append(message, nowMs);
      });
      tellAll();
    },
    join: (spec) => {
      file.transaction("durable", () => {
        for (const topic of spec.topics) {
          records.partitionsOf(topic);
          groups.addAssignments(spec.group, topic);
          if (spec.from === "latest") groups.pinToEnd(spec.group, topic);
        }
        removeTheDead();
        enter(spec);
        groups.touchMembership();
      });
      members.set(spec.id, { ...spec, holdings: new Map(), inFlight: 0, draining: false });
      tellAll();
    },
    drain: (id) => {
      const member = members.get(id);
      if (member) member.draining = true;
    },
    leave: (id) => {
      members.delete(id);
      file.transaction("quick", () => {
        groups.removeMember(id);
        groups.touchMembership();
      });
      tellAll();
    },
    commit: (id, key, next) => {
      const { topic, partition, generation } = key;
      const done = file.transaction("durable", () =>
        groups.commit(id, topic, partition, generation, Number(next)),
      );
      const holding = find(id, key);
      const member = members.get(id);
      if (holding && member && !done) lose(member, holding);
      if (holding && done && next > holding.next) holding.next = next;
      return done;
    },
    settle: (id, key) => {
      const member = members.get(id);
      if (!member) return;
      member.inFlight -= 1;
      const holding = find(id, key);
      if (holding) {
        holding.state = holding.next > holding.handed ? "idle" : "blocked";
        if (holding.unwanted) align(member);
      }
      wake();
    },
    lag: (group, topics) => {
      const committed = new Map(groups.assignments(group).map((record) => [record.name, record.committed]));
      return topics.flatMap((topic) =>
        Array.from({ length: records.partitionsOf(topic) }, (_, partition) => {
          const next = committed.get(`${topic}/${partition}`) ?? null;
          const end = BigInt(records.end(topic, partition));
          return { topic, partition, committed: next === null ? null : BigInt(next), end };
        }),
      );
    },
    page: (topic, partition, from) => records.read(topic, partition, Number(from), pageMessages),
    removeGroup: (group) => {
      file.transaction("durable", () => {
        removeTheDead();
        if (groups.members().some((member) => member.group === group)) {
          throw new FltsError("LOG_UNAVAILABLE", `Group ${group} still has members: stop them first`);
        }
        groups.removeGroup(group);
        groups.touchMembership();
      });
    },
    wake,
    beat: () => {
      const changed = file.transaction("quick", () => {
        const evicted = [...members.values()].filter(({ id }) => !groups.setBeat(id, nextBeat()));
        for (const member of evicted) enter(member);
        const regroup = removeTheDead() || evicted.length > 0;
        if (regroup) groups.touchMembership();
        return regroup;
      });
      if (changed) tellAll();
      else wake();
    },
    sweep: () => {
      const deleted = file.transaction("quick", () => records.deleteSurplus(retention, clock.now()));
      if (deleted > 0) file.shrink();
      return deleted > 0;
    },
    holdings: () => new Map([...members.values()].map(({ id, holdings }) => [id, holdings.size])),
  };
}

const keyOf = ({ topic, partition, generation }: Holding): HoldingKey => ({ topic, partition, generation });
