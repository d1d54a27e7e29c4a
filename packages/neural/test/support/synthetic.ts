import { randomStream } from "../../src/random.ts";
import type { TrainingTable } from "../../src/training/table.ts";

/** A scaled table [rows, 3] whose first column is a noisy wave that the other two (its phase) foretell; the last fifth is to stop by. */
export function waves(rows = 400, noise = 0.02): TrainingTable & { readonly columns: 3 } {
  const random = randomStream("waves");
  const features = new Float32Array(rows * 3);
  for (let row = 0; row < rows; row += 1) {
    const angle = row / 5;
    features.set(
      [0.5 + 0.4 * Math.sin(angle) + noise * (random() - 0.5), Math.sin(angle), Math.cos(angle)],
      row * 3,
    );
  }
  const border = Math.floor(rows * 0.8);
  return {
    features,
    columns: 3,
    targets: [0],
    fit: { start: 0, end: border },
    stop: { start: border, end: rows },
  };
}
