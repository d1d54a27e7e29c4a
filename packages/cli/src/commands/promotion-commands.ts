import { resolve } from "node:path";
import type { Backends } from "@flts/backends/connect";
import type { Command } from "commander";
import { addCommand, type CommonOptions, stationOption } from "../command.ts";
import { usageError } from "../exit-codes.ts";
import { withHome } from "../home.ts";
import { runMeant, stationMeant } from "../meant.ts";
import { parseWhole } from "../option-values.ts";
import type { Surroundings } from "../program.ts";
import type { Output } from "../terminal/output.ts";
import type { PromotionDesk } from "./promotion-desk.ts";

interface StationFlags extends CommonOptions {
  readonly identifier: string;
}

interface OrderFlags extends StationFlags {
  readonly reason: string;
  readonly force?: true;
}

/** The commands about promotion: those that change it, those that look it up, and those that explain it. */
export function addPromotionCommands(program: Command, surroundings: Surroundings): void {
  const station = (name: string, description: string): Command =>
    addCommand(program, name, description).addOption(stationOption());
  const order = (name: string, description: string): Command =>
    station(name, `${description}; by a running eval when EVAL_URL names one`)
      .requiredOption("--reason <text>", "why, in one sentence: it is recorded (required)")
      .option("--force", "override another feature schema, or the gate's rejection; recorded");

  /** Runs with what a command opened, and closes that whatever happens. */
  async function atDesk(
    { home, identifier, json }: StationFlags,
    work: (desk: PromotionDesk, station: string, output: Output) => Promise<void>,
  ): Promise<void> {
    const { openDesk } = await import("./promotion-desk.ts");
    const desk = await openDesk(resolve(home), surroundings.environment);
    try {
      await work(desk, await desk.stationMeant(identifier), surroundings.createOutput(json === true));
    } finally {
      await desk.close();
    }
  }
  const inHome = (
    { home, json }: StationFlags,
    work: (backends: Backends, output: Output) => Promise<void>,
  ): Promise<void> =>
    withHome(resolve(home), (backends) => work(backends, surroundings.createOutput(json === true)));

  order("promote", "make a run the champion of its station")
    .argument("<run>", "the run's id, or how it begins")
    .action(async (runId: string, flags: OrderFlags) => {
      const { promote } = await import("./promote.ts");
      await atDesk(flags, async (desk, identifier, output) =>
        promote(desk, { ...orderOf(flags), identifier, runId: await desk.runMeant(runId) }, output),
      );
    });

  order("rollback", "make the model of an earlier epoch the champion again")
    .option("--to <epoch>", "the epoch (default: the model before the present one)", parseCount)
    .action(async (flags: OrderFlags & { readonly to?: number }) => {
      const { rollback } = await import("./promote.ts");
      await atDesk(flags, (desk, identifier, output) =>
        rollback(desk, { ...orderOf(flags), identifier, toEpoch: flags.to ?? null }, output),
      );
    });

  station("history", "show a station's promotions: who decided, and why")
    .option("--limit <count>", "the latest so many", parseCount, 50)
    .action(async (flags: StationFlags & { readonly limit: number }) => {
      const { history } = await import("./history.ts");
      await atDesk(flags, (desk, identifier, output) =>
        history(desk, { identifier, limit: flags.limit }, output),
      );
    });

  station("models", "show the models that a station has had, by version").action(
    async (flags: StationFlags) => {
      const { models } = await import("./models.ts");
      await atDesk(flags, (desk, identifier, output) => models(desk, identifier, output));
    },
  );

  station("gate", "ask the gate about a run, without promoting anything")
    .requiredOption("--dry-run <run>", "the run's id, or how it begins (required)")
    .action(async (flags: StationFlags & { readonly dryRun: string }) => {
      const { gateDryRun, judgingOn } = await import("./gate.ts");
      await inHome(flags, async (backends, output) => {
        const runId = await runMeant(flags.dryRun, backends.store);
        const identifier = await stationMeant(flags.identifier, backends.store);
        return gateDryRun(judgingOn(backends, surroundings.environment), { runId, identifier }, output);
      });
    });

  station("explain", "show where a run or a logged forecast comes from, or take a past decision again")
    .argument("[id]", "a run's id or how it begins, or a forecast's req_id or prediction_hash")
    .option("--replay <epoch>", "take the decision behind this epoch again from what is stored", parseCount)
    .action(async (id: string | undefined, flags: StationFlags & { readonly replay?: number }) => {
      const { replay: epoch } = flags;
      if ((id === undefined) === (epoch === undefined))
        throw usageError("explain takes either the id of a run or forecast, or --replay <epoch>");
      await inHome(flags, async (backends, output) => {
        if (epoch === undefined) {
          const { explain } = await import("./explain.ts");
          return explain(await runMeant(id ?? "", backends.store), backends, output);
        }
        const { judgingOn } = await import("./gate.ts");
        const { explainReplay } = await import("./explain-replay.ts");
        const identifier = await stationMeant(flags.identifier, backends.store);
        return explainReplay(judgingOn(backends, surroundings.environment), { identifier, epoch }, output);
      });
    });
}

const parseCount = parseWhole(1);

const orderOf = ({ reason, force }: OrderFlags) => ({ reason, force: force === true });
