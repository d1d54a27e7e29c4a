import { createLiveBlock, type LiveBlock } from "./live.ts";
import { createStyle, type Screen, type Style, screenOf } from "./style.ts";

/** Where a command writes. With `--json` standard output belongs to the one JSON line, and people read the error output. */
export interface Output {
  readonly json: boolean;
  readonly screen: Screen;
  readonly style: Style;
  /** What is redrawn in place while a command is at work. */
  readonly block: LiveBlock;
  /** Lines for people. */
  say(...lines: readonly string[]): void;
  /** The result for programs, as one line of JSON; nothing without `--json`. */
  result(value: unknown): void;
}

/** The part of a stream that an output needs. */
export interface Sink {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export function createOutput(
  json: boolean,
  streams: { readonly stdout: Sink; readonly stderr: Sink },
  environment: Readonly<Record<string, string | undefined>>,
): Output {
  const people = json ? streams.stderr : streams.stdout;
  const screen = screenOf(people, environment);
  const block = createLiveBlock((text) => void people.write(text), screen);
  return {
    json,
    screen,
    style: createStyle(screen.colour),
    block,
    say: (...lines) => {
      for (const line of lines) block.print(line);
    },
    result: (value) => {
      if (json) streams.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}
