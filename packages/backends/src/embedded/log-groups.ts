import type { PartitionSlot } from "../assignment.ts";
import type { LogFile } from "./log-file.ts";
import { partitionName } from "./partition.ts";
import type { ProcessIdentity } from "./process-identity.ts";

export interface MemberRecord {
  readonly id: string;
  readonly group: string;
  readonly topics: readonly string[];
  readonly process: ProcessIdentity;
  /** Rises for as long as the member lives, also when it was removed and enters again. */
  readonly beat: number;
}

export interface Assignment extends PartitionSlot {
  readonly partition: number;
  /** Next offset that the group will handle; null when it has committed nothing. */
  readonly committed: number | null;
  /** Counts the owners that the partition has had in this group. */
  readonly generation: number;
}

export interface Claimed {
  readonly generation: number;
  readonly committed: number | null;
}

/** Consumer groups in the file. Writing functions must be called within a transaction. */
export interface LogGroups {
  /** Counts changes of members, assignments and topics. */
  membershipVersion(): number;
  /** Tells all processes that members, assignments or topics have changed. */
  touchMembership(): void;
  members(): readonly MemberRecord[];
  addMember(member: MemberRecord): void;
  /** @returns false when the member has been removed: its lease had run out */
  setBeat(member: string, beat: number): boolean;
  /** Removes a member and frees what it owned, unless its beat has gone on meanwhile. */
  removeMember(member: string, beat?: number): void;
  assignments(group: string): readonly Assignment[];
  /** Makes the group's record of every partition of a topic, as far as it is missing. */
  addAssignments(group: string, topic: string): void;
  /** Begins at the present end where the group has committed nothing. */
  pinToEnd(group: string, topic: string): void;
  /** Makes the member owner of a free partition. @returns null when it is not free */
  claim(member: string, group: string, topic: string, partition: number): Claimed | null;
  /** Frees a partition that the member owns. */
  release(member: string, topic: string, partition: number): void;
  /** Sets the group's next offset, never back. @returns false when the partition has moved on */
  commit(member: string, topic: string, partition: number, generation: number, next: number): boolean;
  /** Sets the group's next offset, back or forth. The group must have no members. */
  seek(group: string, topic: string, partition: number, next: number): void;
  removeGroup(group: string): void;
}

export function createLogGroups(file: LogFile): LogGroups {
  const selectVersion = file.query("SELECT version FROM membership");
  const raiseVersion = file.query("UPDATE membership SET version = version + 1");
  const selectMembers = file.query('SELECT member, "group", topics, process, beat FROM members');
  const insertMember = file.query(
    'INSERT OR REPLACE INTO members (member, "group", topics, process, beat) VALUES (?, ?, ?, ?, ?)',
  );
  const updateBeat = file.query("UPDATE members SET beat = ? WHERE member = ?");
  const deleteMember = file.query("DELETE FROM members WHERE member = ?1 AND beat = ifnull(?2, beat)");
  const freeAll = file.query("UPDATE assignments SET owner = NULL WHERE owner = ?");
  const selectAssignments = file.query(
    'SELECT topic, partition, committed, owner, generation FROM assignments WHERE "group" = ?',
  );
  const insertAssignments = file.query(
    `INSERT OR IGNORE INTO assignments ("group", topic, partition)
     SELECT ?1, topic, partition FROM partitions WHERE topic = ?2`,
  );
  const commitEnds = file.query(
    `UPDATE assignments SET committed = (SELECT next_offset FROM partitions
       WHERE partitions.topic = assignments.topic AND partitions.partition = assignments.partition)
     WHERE "group" = ? AND topic = ? AND committed IS NULL`,
  );
  const takeFree = file.query(
    `UPDATE assignments SET owner = ?, generation = generation + 1
     WHERE "group" = ? AND topic = ? AND partition = ? AND owner IS NULL RETURNING generation, committed`,
  );
  const freeOne = file.query(
    "UPDATE assignments SET owner = NULL WHERE owner = ? AND topic = ? AND partition = ?",
  );
  const commitOne = file.query(
    `UPDATE assignments SET committed = max(?, ifnull(committed, 0))
     WHERE owner = ? AND topic = ? AND partition = ? AND generation = ?`,
  );
  const setCommitted = file.query(
    'UPDATE assignments SET committed = ? WHERE "group" = ? AND topic = ? AND partition = ?',
  );
  const deleteGroup = file.query('DELETE FROM assignments WHERE "group" = ?');

  return {
    membershipVersion: () => selectVersion.first()?.integer("version") ?? 0,
    touchMembership: () => {
      raiseVersion.run();
    },
    members: () =>
      selectMembers.all().map((row) => ({
        id: row.text("member"),
        group: row.text("group"),
        topics: row.text("topics").split(","),
        process: identityOf(row.text("process")),
        beat: row.integer("beat"),
      })),
    addMember: ({ id, group, topics, process: { space, pid }, beat }) => {
      insertMember.run(id, group, topics.join(","), `${pid} ${space}`, beat);
    },
    setBeat: (member, beat) => updateBeat.run(beat, member) > 0,
    removeMember: (member, beat) => {
      if (deleteMember.run(member, beat ?? null) > 0) freeAll.run(member);
    },
    assignments: (group) =>
      selectAssignments.all(group).map((row) => {
        const topic = row.text("topic");
        const partition = row.integer("partition");
        return {
          name: partitionName(topic, partition),
          topic,
          partition,
          committed: row.integerOrNull("committed"),
          owner: row.textOrNull("owner"),
          generation: row.integer("generation"),
        };
      }),
    addAssignments: (group, topic) => {
      insertAssignments.run(group, topic);
    },
    pinToEnd: (group, topic) => {
      commitEnds.run(group, topic);
    },
    claim: (member, group, topic, partition) => {
      const row = takeFree.first(member, group, topic, partition);
      return row && { generation: row.integer("generation"), committed: row.integerOrNull("committed") };
    },
    release: (member, topic, partition) => {
      freeOne.run(member, topic, partition);
    },
    commit: (member, topic, partition, generation, next) =>
      commitOne.run(next, member, topic, partition, generation) > 0,
    seek: (group, topic, partition, next) => {
      setCommitted.run(next, group, topic, partition);
    },
    removeGroup: (group) => {
      deleteGroup.run(group);
    },
  };
}

function identityOf(text: string): ProcessIdentity {
  const separator = text.indexOf(" ");
  return { pid: Number(text.slice(0, separator)), space: text.slice(separator + 1) };
}
