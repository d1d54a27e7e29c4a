/** A canvas of dots, two columns and four rows of them in each character (Unicode block U+2800). */
export interface BrailleCanvas {
  /** Dots from left to right. */
  readonly dotsWide: number;
  /** Dots from top to bottom. */
  readonly dotsHigh: number;
  /** Sets a dot; outside the canvas nothing happens. */
  dot(x: number, y: number): void;
  /** Sets the dots nearest to the straight line between two dots. */
  line(fromX: number, fromY: number, toX: number, toY: number): void;
  /** The character of a cell, or null where no dot is set. */
  cell(column: number, row: number): string | null;
}

/** Bit of each dot, by column and row inside a cell. */
const bits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

/** An empty canvas of `columns` × `rows` characters. */
export function createBrailleCanvas(columns: number, rows: number): BrailleCanvas {
  const cells = new Uint8Array(columns * rows);
  const dotsWide = columns * 2;
  const dotsHigh = rows * 4;

  const dot = (x: number, y: number): void => {
    if (!(x >= 0 && x < dotsWide && y >= 0 && y < dotsHigh)) return;
    const [column, row] = [Math.floor(x / 2), Math.floor(y / 4)];
    const bit = bits[x % 2 === 0 ? 0 : 1][y % 4] ?? 0;
    cells[row * columns + column] = (cells[row * columns + column] ?? 0) | bit;
  };

  const line = (fromX: number, fromY: number, toX: number, toY: number): void => {
    const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY), 1);
    for (let step = 0; step <= steps; step++)
      dot(
        Math.round(fromX + ((toX - fromX) * step) / steps),
        Math.round(fromY + ((toY - fromY) * step) / steps),
      );
  };

  return {
    dotsWide,
    dotsHigh,
    dot,
    line,
    cell(column, row) {
      const pattern = cells[row * columns + column] ?? 0;
      return pattern === 0 ? null : String.fromCodePoint(0x2800 + pattern);
    },
  };
}
