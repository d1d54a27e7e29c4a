import { randomBytes } from "node:crypto";
import type { Random } from "@flts/common/ports/random";

/** The operating system's chance: unguessable, so that run ids and nonces of several machines never meet. */
export const createSystemRandom = (): Random => ({
  // The upper 53 bits of eight random bytes, as a fraction of 2^53.
  next: () => Number(randomBytes(8).readBigUInt64BE() >> 11n) / 2 ** 53,
  hex: (bytes) => randomBytes(bytes).toString("hex"),
});
