import { codeOf } from "@flts/common/contracts/errors";
import { CommanderError } from "commander";
import { EX_CONFIG } from "./supervisor/observed-process.ts";

/** What a command ends with: 0 well, 1 a failure, 2 used wrongly, 78 configured wrongly, 130 interrupted, 141 no longer read. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  return codeOf(error) === "CONFIG_INVALID" ? EX_CONFIG : 1;
}

const EXIT_USAGE = 2;
/** 128 + SIGINT and 128 + SIGPIPE, as shells count them. */
export const EXIT_INTERRUPTED = 130;
export const EXIT_UNREAD = 141;

/** A command used wrongly: options that do not go together, or a value that only the command itself can judge. */
export const usageError = (message: string): CommanderError =>
  new CommanderError(EXIT_USAGE, "flts.usage", message);

/** Commander ends with an error where it has printed its help, which says all there is to say. */
export const isHelp = (error: unknown): boolean =>
  error instanceof CommanderError && error.code.startsWith("commander.help");

/** An error as the one line that a person sees of it. */
export function lineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}
