import type { Random } from "@flts/common/ports/random";

/** Chance from a seed (mulberry32): equal seeds give equal sequences. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    // 53 bits, as Math.random has.
    next: () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53,
    hex: (bytes) =>
      Array.from({ length: bytes }, () => (uint32() >>> 24).toString(16).padStart(2, "0")).join(""),
  };
}
