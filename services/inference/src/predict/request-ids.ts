import type { Random } from "@flts/common/ports/random";

const ID_BYTES = 4;
const IDS_AT_ONCE = 256;

/** Makes the reference's request ids, eight hexadecimal digits. They are drawn many at a time, because each draw asks the system. */
export function requestIds(random: Random): () => string {
  let drawn = "";
  let used = 0;
  return () => {
    if (used === drawn.length) {
      drawn = random.hex(ID_BYTES * IDS_AT_ONCE);
      used = 0;
    }
    used += 2 * ID_BYTES;
    return drawn.slice(used - 2 * ID_BYTES, used);
  };
}
