import { type Command, Option } from "commander";

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
    .option("--json", "write one JSON object to standard output, and what people read to standard error");

/** Whose model it is about; `stationMeant` says whom nobody named. */
export const stationOption = (): Option =>
  new Option("--identifier <station>", "the station").default("", "the only one");
