export interface BatchLimits {
  readonly maxItems: number;
  /** Of the items as JSON, commas included. */
  readonly maxBytes: number;
}

/** Cuts a list into parts that keep to the limits, in order; an item that alone exceeds the bytes is a part of its own. */
export function batchesOf<Item>(
  items: readonly Item[],
  { maxItems, maxBytes }: BatchLimits,
): readonly (readonly Item[])[] {
  const batches: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    const current = batches.at(-1);
    if (current === undefined || current.length === maxItems || bytes + size > maxBytes) {
      batches.push([item]);
      bytes = size;
    } else {
      current.push(item);
      bytes += size;
    }
  }
  return batches;
}
