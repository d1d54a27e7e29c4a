import { resolve } from "node:path";
import type { LetterFilter } from "@flts/common/housekeeping/dead-letters";
import type { LogPosition } from "@flts/common/ports/message-log";
import type { Command } from "commander";
import { addCommand, type CommonOptions } from "./command.ts";
import { usageError } from "./exit-codes.ts";
import { parsePosition, parseTime } from "./option-values.ts";
import type { Surroundings } from "./program.ts";

/** The commands of an operator: dead letters, replays, garbage. */
export function addOperations(program: Command, surroundings: Surroundings): void {
  addDlq(program, surroundings);
  addReplay(program, surroundings);
  addGc(program, surroundings);
}

interface LetterFlags extends CommonOptions {
  readonly topic?: string;
  readonly code?: string;
  readonly since?: number;
  readonly until?: number;
}

function addDlq(program: Command, { createOutput, untilInterrupted }: Surroundings): void {
  const dlq = program
    .command("dlq")
    .description("dead letters: list them, show one, publish their messages again");
  withFilter(addCommand(dlq, "list", "dead letters, oldest first within each topic")).action(
    async (flags: LetterFlags) => {
      const { listLetters } = await import("./commands/dlq.ts");
      await listLetters(resolve(flags.home), filterOf(flags), createOutput(flags.json === true));
    },
  );
  addCommand(dlq, "show", "one dead letter, with its message")
    .argument("<id>", "as the list names it: <topic>/<partition>/<offset>")
    .action(async (id: string, flags: CommonOptions) => {
      const { showLetter } = await import("./commands/dlq.ts");
      await showLetter(resolve(flags.home), id, createOutput(flags.json === true));
    });
  withFilter(addCommand(dlq, "redrive", "publish the messages of dead letters again, each once"))
    .argument("[id]", "one of them")
    .option("--all", "every one")
    .action(async (id: string | undefined, flags: LetterFlags & { readonly all?: true }) => {
      const filter = { ...filterOf(flags), ...(id === undefined ? {} : { id }) };
      if (Object.keys(filter).length === 0 && flags.all !== true)
        throw usageError("say which: an id, --topic, --code, --since, --until, or --all");
      const { redriveLetters } = await import("./commands/dlq.ts");
      await redriveLetters(
        resolve(flags.home),
        filter,
        createOutput(flags.json === true),
        untilInterrupted(),
      );
    });
}

const withFilter = (command: Command): Command =>
  command
    .option("--topic <name>", "of messages of that topic")
    .option("--code <code>", "given up for that reason")
    .option("--since <time>", "given up at that time or later (ISO 8601)", parseTime)
    .option("--until <time>", "given up before that time (ISO 8601)", parseTime);

const filterOf = ({ topic, code, since, until }: LetterFlags): LetterFilter => ({
  ...(topic === undefined ? {} : { topic }),
  ...(code === undefined ? {} : { code }),
  ...(since === undefined ? {} : { sinceMs: since }),
  ...(until === undefined ? {} : { untilMs: until }),
});

interface ReplayFlags extends CommonOptions {
  readonly topic?: string;
  readonly group?: string;
  readonly to?: LogPosition;
  readonly force?: boolean;
  readonly run?: string;
}

function addReplay(program: Command, { createOutput }: Surroundings): void {
  addCommand(
    program,
    "replay",
    "handle messages again: those of a topic for one group, or the claims of a run",
  )
    .option("--topic <name>", "the topic")
    .option("--group <name>", "the consumer group")
    .option("--to <place>", "earliest, latest, a time (ISO 8601) or an offset", parsePosition)
    .option("--force", "though members are at work: publish the messages once more, for every group")
    .option("--run <id>", "publish the claims of this run (its id, or how it begins) again, from the store")
    .action(async ({ home, json, topic, group, to, force = false, run }: ReplayFlags) => {
      const { replayGroup, replayRun } = await import("./commands/replay.ts");
      const output = createOutput(json === true);
      const places = [topic, group, to];
      if (run !== undefined && places.every((place) => place === undefined))
        return replayRun(resolve(home), run, output);
      if (run !== undefined || topic === undefined || group === undefined || to === undefined)
        throw usageError("give --topic, --group and --to, or --run alone");
      return replayGroup(resolve(home), { topic, group, to, force }, output);
    });
}

function addGc(program: Command, { createOutput, untilInterrupted }: Surroundings): void {
  addCommand(program, "gc", "remove tables, candidates and artifacts that nothing refers to any more")
    .option("--dry-run", "say what would go, and leave it")
    .action(async (flags: CommonOptions & { readonly dryRun?: true }) => {
      const { gc } = await import("./commands/gc.ts");
      const options = { home: resolve(flags.home), dryRun: flags.dryRun === true };
      await gc(options, createOutput(flags.json === true), untilInterrupted());
    });
}
