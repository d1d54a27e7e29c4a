import type { Command } from "commander";

/** What every command takes. */
export interface CommonOptions {
  readonly home: string;
  readonly json?: true;
}

/** A command of a program, or one beneath another command. */
export const addCommand = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .option("--home <dir>", "the state folder", ".flts")
    .option("--json", "end standard output with one JSON object; people read the error output");
