/** Chance as a dependency, so that a whole pipeline can be simulated from one seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `bytes` random bytes as lower-case hexadecimal digits. */
  hex(bytes: number): string;
}
