/** A partition's name in maps and sorted lists. Topic names contain no slash. */
export const partitionName = (topic: string, partition: number): string => `${topic}/${partition}`;

/** The partition of a key: FNV-1a over its UTF-8 bytes, so that equal keys keep their order whoever publishes. */
export function partitionOfKey(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  // The low bits of FNV-1a mix poorly; fold the high ones in before the remainder.
  return ((hash ^ (hash >>> 15)) >>> 0) % partitions;
}
