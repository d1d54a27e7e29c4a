/** One curve of a chart: a value for each epoch, from epoch 1. */
export interface Curve {
  readonly label: string;
  readonly color: string;
  readonly values: readonly number[];
}

const [width, height] = [720, 400];
const margin = { left: 72, right: 24, top: 48, bottom: 48 };

/**
 * Losses over epochs as an SVG document, on a logarithmic axis where all values are positive.
 *
 * @param marked  an epoch to point out, such as the best one
 */
export function lossCurve(title: string, curves: readonly Curve[], marked?: number): string {
  const values = curves.flatMap((curve) => curve.values).filter(Number.isFinite);
  const epochs = Math.max(1, ...curves.map((curve) => curve.values.length));
  const y = verticalScale(values);
  const x = (epoch: number): number => {
    const share = epochs === 1 ? 0.5 : (epoch - 1) / (epochs - 1);
    return round(margin.left + share * (width - margin.left - margin.right));
  };
  const parts = [
    ...y.ticks.map((tick) => gridLine(y.at(tick), tick.toPrecision(3))),
    ...epochTicks(epochs).map((epoch) =>
      label(x(epoch), height - margin.bottom + 20, String(epoch), "middle"),
    ),
    label(width / 2, height - 10, "epoch", "middle"),
    ...(marked === undefined ? [] : [verticalMark(x(marked))]),
    ...curves.map((curve) => line(curve, x, y.at)),
    ...curves.map((curve, index) => legend(curve, index)),
    `<text x="${margin.left}" y="24" font-size="16">${escaped(title)}</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

interface VerticalScale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

function verticalScale(values: readonly number[]): VerticalScale {
  const [low, high] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const [forth, back] = low > 0 ? [Math.log, Math.exp] : [(value: number) => value, (value: number) => value];
  const [from, to] =
    forth(high) - forth(low) > 1e-12 ? [forth(low), forth(high)] : [forth(low) - 0.5, forth(low) + 0.5];
  const span = height - margin.top - margin.bottom;
  return {
    ticks: Array.from({ length: 5 }, (_, index) => back(from + ((to - from) * index) / 4)),
    at: (value) => round(height - margin.bottom - ((forth(value) - from) / (to - from)) * span),
  };
}

/** At most ten whole epochs, evenly spaced from the first. */
function epochTicks(epochs: number): readonly number[] {
  const step = Math.ceil(epochs / 10);
  return Array.from({ length: Math.ceil(epochs / step) }, (_, index) => 1 + index * step);
}

function line({ values, color }: Curve, x: (epoch: number) => number, y: (value: number) => number): string {
  const drawn = [...values.entries()].filter(([, value]) => Number.isFinite(value));
  const points = drawn.map(([index, value]) => `${x(index + 1)},${y(value)}`).join(" ");
  const dots = drawn.map(
    ([index, value]) => `<circle cx="${x(index + 1)}" cy="${y(value)}" r="2.5" fill="${color}"/>`,
  );
  return [`<polyline points="${points}" fill="none" stroke="${color}" stroke-width="2"/>`, ...dots].join(
    "\n",
  );
}

function legend({ label: text, color }: Curve, index: number): string {
  const [left, top] = [width - margin.right - 120, 20 + 16 * index];
  return `<rect x="${left}" y="${top - 9}" width="10" height="10" fill="${color}"/>\n${label(left + 16, top, text, "start")}`;
}

const gridLine = (y: number, text: string): string =>
  `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}" stroke="#ddd"/>\n${label(margin.left - 8, y + 4, text, "end")}`;

const verticalMark = (x: number): string =>
  `<line x1="${x}" x2="${x}" y1="${margin.top}" y2="${height - margin.bottom}" stroke="#999" stroke-dasharray="4 4"/>`;

const label = (x: number, y: number, text: string, anchor: "start" | "middle" | "end"): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(text)}</text>`;

const round = (value: number): number => Math.round(value * 10) / 10;

const entities: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;" };
const escaped = (text: string): string =>
  text.replace(/[<>&"]/g, (character) => entities[character] ?? character);
