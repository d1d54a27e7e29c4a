/** Draws in [0, 1), each call the next of one reproducible sequence. */
export type Uniform = () => number;

/** A sequence of uniform draws from a 32-bit seed: C. Doty-Humphrey's sfc32, which passes PractRand. */
export function seededUniform(seed: number): Uniform {
  let a = 0;
  let b = seed | 0;
  let c = (seed / 4_294_967_296) | 0;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 12; round++) next(); // the first outputs still resemble the seed
  return next;
}

/** Standard normal draws from uniform ones (Box and Muller, 1958). */
export function normalFrom(uniform: Uniform): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A whole number in [0, below). */
export const integerFrom = (uniform: Uniform, below: number): number => Math.floor(uniform() * below);
