import { stripVTControlCharacters, styleText } from "node:util";

/** Colours by what they mean; every function returns the text unchanged when colour is off. */
export interface Style {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly actual: Paint;
  readonly forecast: Paint;
}

export type Paint = (text: string) => string;

export function createStyle(colour: boolean): Style {
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      colour && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    strong: paint("bold"),
    faint: paint("dim"),
    good: paint("green"),
    bad: paint("red"),
    actual: paint("cyan"),
    forecast: paint("yellow"),
  };
}

export interface Screen {
  /** A person looks on and lines can be redrawn. */
  readonly live: boolean;
  readonly colour: boolean;
  /** Columns of text. */
  readonly width: number;
}

/** What an output stream can show. `NO_COLOR` (no-color.org) and a dumb terminal switch colour off, a pipe everything. */
export function screenOf(
  stream: { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Screen {
  const live = stream.isTTY === true && environment["TERM"] !== "dumb";
  const unwanted = environment["NO_COLOR"] !== undefined && environment["NO_COLOR"] !== "";
  return { live, colour: live && !unwanted, width: clampWidth(stream.columns) };
}

/** Lines for a pipe are as wide as a terminal of old; below forty columns nothing fits, above 160 nothing is read. */
const clampWidth = (columns: number | undefined): number => Math.min(160, Math.max(40, columns || 100));

/** Columns that `text` takes on a terminal; every character of ours is one column wide. */
export const widthOf = (text: string): number => Array.from(stripVTControlCharacters(text)).length;

/** `text` with blanks up to `width` columns, on its right or left. */
export function pad(text: string, width: number, side: "left" | "right" = "right"): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return side === "right" ? text + blanks : blanks + text;
}
