import { readFileSync } from "node:fs";
import { z } from "zod";
import { FltsError } from "../contracts/errors.ts";

/**
 * Reads a service's settings from environment variables. An empty value counts as unset; for a variable named in `secrets`, `NAME_FILE`
 * may name a file that holds the value. Nothing else in FLTS reads the environment.
 * @throws CONFIG_INVALID listing every fault at once: variable, value, and what is expected
 */
export function loadConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
  secrets: readonly string[] = [],
): z.infer<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of Object.keys(shape)) {
    const value = environment[name];
    if (value !== undefined && value !== "") given[name] = value;
  }
  for (const name of secrets) {
    const path = environment[`${name}_FILE`];
    if (path === undefined || path === "" || given[name] !== undefined) continue;
    try {
      given[name] = readFileSync(path, "utf8").trim();
    } catch (error) {
      faults.push(`${name}_FILE=${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const parsed = z.object(shape).safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0] ?? "configuration");
      const shown = given[name] === undefined ? "is not set" : `= ${shownValue(name, given[name], secrets)}`;
      faults.push(`${name} ${shown}: ${issue.message}`);
    }
  }
  if (faults.length > 0 || !parsed.success)
    throw new FltsError(
      "CONFIG_INVALID",
      `configuration has ${faults.length} fault(s): ${faults.join("; ")}`,
    );
  return parsed.data;
}

const shownValue = (name: string, value: string, secrets: readonly string[]): string =>
  secrets.includes(name) ? "(hidden)" : JSON.stringify(value.slice(0, 80));

/** The kinds of settings, each from the text of a variable. */
export const setting = {
  text: (fallback: string) => z.string().default(fallback),

  int: (fallback: number, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) =>
    z
      .string()
      .regex(/^[+-]?\d+$/, `must be a whole number from ${min} to ${max}`)
      .transform(Number)
      .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
      .default(fallback),

  number: (fallback: number, { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = {}) =>
    z
      .string()
      .refine((text) => text.trim() !== "" && Number.isFinite(Number(text)), "must be a number")
      .transform(Number)
      .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
      .default(fallback),

  /** As the reference reads them: 1, true, yes, on and their opposites, in any case. */
  flag: (fallback: boolean) =>
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(["1", "true", "yes", "on", "0", "false", "no", "off"]))
      .transform((text) => ["1", "true", "yes", "on"].includes(text))
      .default(fallback),

  choice: <const T extends readonly [string, ...string[]]>(choices: T, fallback: T[number]) =>
    z.enum(choices, `must be one of ${choices.join(", ")}`).default(fallback as never),

  /** Comma-separated; blanks around an item and empty items are dropped. */
  list: (fallback: readonly string[]) =>
    z
      .string()
      .transform((text) =>
        text
          .split(",")
          .map((item) => item.trim())
          .filter((item) => item !== ""),
      )
      .default([...fallback]),

  port: (fallback: number) => setting.int(fallback, { min: 0, max: 65_535 }),
};
