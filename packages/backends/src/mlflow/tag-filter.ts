/**
 * A filter in MLflow's search language for runs that carry every tag. The language has no escapes, so a value that cannot be quoted is left out: the filter may
 * let too many runs through, never too few, and the caller compares their tags itself.
 */
export function tagFilter(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .flatMap(([name, value]) => {
      const literal = quoted(value);
      return literal === null || name.includes("`") ? [] : [`tags.\`${name}\` = ${literal}`];
    })
    .join(" and ");
}

function quoted(value: string): string | null {
  if (value.includes("\\")) return null;
  if (!value.includes("'")) return `'${value}'`;
  return value.includes('"') ? null : `"${value}"`;
}
