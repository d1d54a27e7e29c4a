import { type Screen, widthOf } from "./style.ts";

/** A block of lines at the bottom of the output that is redrawn in place; lines printed meanwhile scroll above it. */
export interface LiveBlock {
  /** Shows these lines instead of the last ones. Does nothing where lines cannot be redrawn. */
  update(lines: readonly string[]): void;
  /** Writes a line that stays. */
  print(line: string): void;
  /** Leaves the block as it is and continues below it. */
  finish(): void;
}

const ESCAPE = "\u001B";
const colourCode = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`);

/** To the first column of the line `rows` up, and nothing left below. */
const rewind = (rows: number): string => (rows === 0 ? "" : `${ESCAPE}[${rows}F${ESCAPE}[0J`);

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/** A live block on `write`. Lines longer than the screen is wide are cut, or the count of rows would be wrong. */
export function createLiveBlock(write: (text: string) => void, screen: Screen): LiveBlock {
  let shown: readonly string[] = [];
  return {
    update(lines) {
      if (!screen.live) return;
      const fitting = lines.map((line) => (widthOf(line) <= screen.width ? line : cut(line, screen.width)));
      if (fitting.length === shown.length && fitting.every((line, index) => line === shown[index])) return;
      write(rewind(shown.length) + textOf(fitting));
      shown = fitting;
    },
    print(line) {
      write(`${rewind(shown.length)}${line}\n${textOf(shown)}`);
    },
    finish() {
      shown = [];
    },
  };
}

/** The first columns of a line; its escape sequences count for nothing and all stay, so that no colour runs on. */
function cut(line: string, width: number): string {
  let columns = 0;
  return line
    .split(colourCode)
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const kept = Array.from(part).slice(0, Math.max(0, width - columns));
      columns += kept.length;
      return kept.join("");
    })
    .join("");
}
