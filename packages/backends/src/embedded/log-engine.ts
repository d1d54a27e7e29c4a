/**
 * The embedded log's work on its file, synchronous and without timers: a worker thread drives it, a test can.
 *
 * Invariants:
 * - L1 What a member may do with a partition is decided by the record: owner and generation are checked in the transaction that commits.
 * - L2 A partition changes hands only when its owner gives it back, leaves, or has not beaten for the lease time.
 * - L3 A partition on which a handler is at work is given back after the handler has settled.
 * - L4 Nothing is written when nothing has changed, except beats, of which nobody is told: otherwise processes would wake each other for ever.
 * - L5 A request writes in one transaction and then is done. What follows from it for members happens in `wake`, which may fail and be
 *   called again.
 */
import { FltsError } from "@flts/common/contracts/errors";
import type {
  GroupMember,
  LogPosition,
  OutgoingMessage,
  PartitionLag,
  StoredMessage,
  TopicSpec,
} from "@flts/common/ports/message-log";
import { createLogAlignment } from "./log-alignment.ts";
import { type CensusOptions, createLogCensus } from "./log-census.ts";
import type { LogFile } from "./log-file.ts";
import { createLogGroups } from "./log-groups.ts";
import { findHolding, type HoldingKey, keyOf, type Member, type MemberSpec } from "./log-member.ts";
import { createLogRecords, type Retention } from "./log-records.ts";
import { partitionName } from "./partition.ts";

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
  members(group: string): readonly GroupMember[];
  seekGroup(group: string, topic: string, to: LogPosition): void;
  removeGroup(group: string): void;
  /** Does what follows from any change: takes and gives partitions, delivers. Due after requests and bells; cheap when there is nothing. */
  wake(): void;
  /** Shows that the members of this process live, and removes those of others that do not. Due `beatsPerLease` times per lease. */
  beat(): void;
  /** Deletes what retention no longer keeps, a little at a time. @returns whether there is more to delete */
  sweep(): boolean;
  /** How many partitions each member owns. */
  holdings(): ReadonlyMap<string, number>;
}

export interface EngineEvents {
  onDelivery(member: string, holding: HoldingKey, message: StoredMessage): void;
  /** The partition has moved on; a delivery in flight is nobody's business any more. */
  onLost(member: string, holding: HoldingKey): void;
  /** Something was written that all processes should look at. */
  onChange(): void;
}

export interface EngineOptions extends CensusOptions {
  readonly retention: Retention;
}

const pageMessages = 64;

export function createLogEngine(file: LogFile, events: EngineEvents, options: EngineOptions): LogEngine {
  const records = createLogRecords(file);
  const groups = createLogGroups(file);
  const census = createLogCensus(groups, options);
  const members = new Map<string, Member>();
  /** The membership that this process's members are aligned with; null when a member's own state calls for another look. */
  let aligned: number | null = null;

  const lose = (member: Member, name: string): void => {
    const holding = member.holdings.get(name);
    member.holdings.delete(name);
    if (holding) events.onLost(member.id, keyOf(holding));
  };
  const { align } = createLogAlignment(file, groups, { onLost: lose, onChange: events.onChange });

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

  /** Writes in one transaction (L5) and tells all processes. */
  const change = (durability: "durable" | "quick", write: () => void): void => {
    file.transaction(durability, write);
    events.onChange();
  };

  /** Does what may change the membership, and tells all processes when it has (L4). */
  const recordChange = (update: () => boolean): void => {
    const changed = file.transaction("quick", () => {
      const updated = update();
      if (updated) groups.touchMembership();
      return updated;
    });
    if (changed) events.onChange();
  };

  const assertNoMembers = (group: string): void => {
    census.removeTheDead(members);
    if (groups.members().some((member) => member.group === group))
      throw new FltsError("LOG_UNAVAILABLE", `Group ${group} still has members: stop them first`);
  };

  return {
    ensureTopics: (topics) =>
      change("durable", () => {
        for (const topic of topics) records.ensureTopic(topic);
        for (const { group, topics: names } of groups.members()) {
          for (const name of names) groups.addAssignments(group, name);
        }
        groups.touchMembership();
      }),
    publish: (messages, nowMs) =>
      change("durable", () => {
        for (const message of messages) records.append(message, nowMs);
      }),
    join: (spec) => {
      change("durable", () => {
        for (const topic of spec.topics) {
          records.partitionsOf(topic);
          groups.addAssignments(spec.group, topic);
          if (spec.from === "latest") groups.pinToEnd(spec.group, topic);
        }
        census.removeTheDead(members);
        census.enter(spec);
        groups.touchMembership();
      });
      members.set(spec.id, { ...spec, holdings: new Map(), inFlight: 0, draining: false });
    },
    drain: (id) => {
      const member = members.get(id);
      if (member) member.draining = true;
    },
    leave: (id) => {
      members.delete(id);
      change("quick", () => {
        groups.removeMember(id);
        groups.touchMembership();
      });
    },
    commit: (id, key, next) => {
      const { topic, partition, generation } = key;
      const owned = file.transaction("durable", () =>
        groups.commit(id, topic, partition, generation, Number(next)),
      ); // L1
      const member = members.get(id);
      const holding = findHolding(member, key);
      if (holding && member && !owned) lose(member, holding.name);
      if (holding && owned && next > holding.next) holding.next = next;
      return owned;
    },
    settle: (id, key) => {
      const member = members.get(id);
      if (!member) return;
      member.inFlight -= 1;
      const holding = findHolding(member, key);
      if (!holding) return;
      holding.state = holding.next > holding.handed ? "idle" : "blocked";
      if (holding.unwanted) aligned = null; // L3
    },
    lag: (group, topics) => {
      const committed = new Map(groups.assignments(group).map((record) => [record.name, record.committed]));
      return topics.flatMap((topic) =>
        Array.from({ length: records.partitionsOf(topic) }, (_, partition) => {
          const next = committed.get(partitionName(topic, partition)) ?? null;
          const end = BigInt(records.end(topic, partition));
          return { topic, partition, committed: next === null ? null : BigInt(next), end };
        }),
      );
    },
    page: (topic, partition, from) => records.read(topic, partition, Number(from), pageMessages),
    members: (group) => {
      recordChange(() => census.removeTheDead(members));
      const present = groups.members().filter((member) => member.group === group);
      return present.map(({ id, process }) => ({ id, host: `process ${process.pid}` }));
    },
    seekGroup: (group, topic, to) =>
      change("durable", () => {
        const count = records.partitionsOf(topic);
        assertNoMembers(group);
        groups.addAssignments(group, topic);
        for (let partition = 0; partition < count; partition += 1)
          groups.seek(group, topic, partition, records.offsetOf(topic, partition, to));
      }),
    removeGroup: (group) =>
      change("durable", () => {
        assertNoMembers(group);
        groups.removeGroup(group);
        groups.touchMembership();
      }),
    wake: () => {
      for (let version = groups.membershipVersion(); version !== aligned; ) {
        for (const member of members.values()) align(member);
        aligned = version;
        // Aligning may itself have changed the membership.
        version = groups.membershipVersion();
      }
      for (const member of members.values()) deliver(member);
    },
    beat: () =>
      recordChange(() => {
        const returned = census.beat(members);
        return census.removeTheDead(members) || returned;
      }),
    sweep: () => {
      const deleted = file.transaction("quick", () =>
        records.deleteSurplus(options.retention, options.clock.now()),
      );
      if (deleted > 0) file.shrink();
      return deleted > 0;
    },
    holdings: () => new Map([...members.values()].map(({ id, holdings }) => [id, holdings.size])),
  };
}
