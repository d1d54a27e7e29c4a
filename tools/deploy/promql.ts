const keywords = new Set(
  "and or unless on ignoring group_left group_right by without bool offset inf nan".split(" "),
);

/** The metrics that a PromQL expression asks for, in the order of their names' first places. */
export function metricsIn(expression: string): readonly string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    // Labels that results are grouped or joined by.
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  const names = [...bare.matchAll(/(?<![\w.])([A-Za-z_:][\w:]*)\b(?!\s*\()/g)].map(([, name = ""]) => name);
  return [...new Set(names)].filter((name) => !keywords.has(name.toLowerCase()));
}
