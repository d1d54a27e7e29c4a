import { AssignerProtocol, type PartitionAssigner } from "kafkajs";
import { z } from "zod";
import { assignPartitions } from "../assignment.ts";
import { partitionName } from "../embedded/partition.ts";

/** A partition that a member owns, as it tells the leader of its group. */
export interface HeldPartition {
  readonly topic: string;
  readonly partition: number;
  /** A handler is at work on it. */
  readonly busy: boolean;
}

export type StickyAssigner = PartitionAssigner;

/**
 * Shares partitions as the embedded log does: each to a member that wants its topic, loads even, and nothing moves that need not; what
 * moves is idle as far as possible, so that long work seldom loses its partition. kafkajs's own assigner deals all partitions anew at
 * every change, and to members that did not ask for them.
 *
 * @param held what this member owns at present; nothing when it may have been taken for dead
 */
export function createStickyAssigner(held: () => readonly HeldPartition[]): StickyAssigner {
  return ({ cluster }) => ({
    name: "flts-sticky",
    version: 0,
    protocol: ({ topics }) => ({
      name: "flts-sticky",
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: 0,
        topics,
        userData: Buffer.from(JSON.stringify(held())),
      }),
    }),
    assign: async ({ members }) => {
      const known = members.map(({ memberId, memberMetadata }) => memberOf(memberId, memberMetadata));
      const topics = [...new Set(known.flatMap((member) => member.topics))];
      // The leader of the group knows only its own topics.
      await cluster.addMultipleTargetTopics(topics);
      const partitions = topics.flatMap((topic) =>
        cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => ({ topic, partition: partitionId })),
      );
      return sharesOf(partitions, known).map(({ memberId, assignment }) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment,
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

export interface GroupMemberClaim {
  readonly id: string;
  readonly topics: readonly string[];
  readonly held: readonly HeldPartition[];
}

/** Each member's partitions by topic. */
export function sharesOf(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  members: readonly GroupMemberClaim[],
): readonly { readonly memberId: string; readonly assignment: Record<string, number[]> }[] {
  const claims = new Map<string, { readonly owner: string; readonly busy: boolean }>();
  for (const { id, held } of members)
    for (const { topic, partition, busy } of held)
      claims.set(partitionName(topic, partition), { owner: id, busy });
  const slots = partitions.map(({ topic, partition }) => {
    const claim = claims.get(partitionName(topic, partition));
    // Slots move in the order of their names: the busy last.
    const name = `${claim?.busy === true ? "busy" : ""} ${partitionName(topic, partition)}`;
    return { name, topic, partition, owner: claim?.owner ?? null };
  });
  const owners = assignPartitions(slots, members);
  return members.map(({ id }) => {
    const assignment: Record<string, number[]> = {};
    for (const { name, topic, partition } of slots)
      if (owners.get(name) === id) (assignment[topic] ??= []).push(partition);
    return { memberId: id, assignment };
  });
}

const heldSchema = z.array(z.object({ topic: z.string(), partition: z.number(), busy: z.boolean() }));

function memberOf(id: string, metadata: Buffer): GroupMemberClaim {
  const { topics = [], userData } = AssignerProtocol.MemberMetadata.decode(metadata) ?? {};
  return { id, topics, held: userData ? heldSchema.parse(JSON.parse(userData.toString())) : [] };
}
