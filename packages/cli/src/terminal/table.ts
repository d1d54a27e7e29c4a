import { pad, type Style, widthOf } from "./style.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Rows of cells as aligned lines beneath their titles. Cells may carry colour. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align = "left" }, index) =>
        pad(cells[index] ?? "", widths[index] ?? 0, align === "left" ? "right" : "left"),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("──");
  return [style.faint(line(columns.map(({ title }) => title))), style.faint(rule), ...rows.map(line)];
}
