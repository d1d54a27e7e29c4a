/** One line of a service's log: its event and whatever fields came with it. */
export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A line of JSON with an event; null for any other text, such as the stack of a process that died before it could log. */
export function parseLogLine(text: string): LogLine | null {
  if (!text.startsWith("{")) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { event, level, ...fields } = value as Record<string, unknown>;
  if (typeof event !== "string") return null;
  return { event, level: typeof level === "string" ? level : "info", fields };
}

/** A field of a line where it is a text, and where it is a number. */
export const textField = ({ fields }: LogLine, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
};

export const numberField = ({ fields }: LogLine, name: string): number | undefined => {
  const value = fields[name];
  return typeof value === "number" ? value : undefined;
};

/** The port that a line `service_ready` names, as `port` or in `url`; undefined for a service without an API of its own. */
export function portOf(line: LogLine): number | undefined {
  const url = textField(line, "url");
  const port = url !== undefined && URL.canParse(url) ? Number(new URL(url).port || 80) : undefined;
  return numberField(line, "port") ?? port;
}
