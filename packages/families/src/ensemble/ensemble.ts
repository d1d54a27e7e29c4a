import { FltsError } from "@flts/common/contracts/errors";
import { invertScaling } from "@flts/common/scaler/scaling";
import { seriesOf } from "@flts/forecasting/evaluation/forecasts";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import type { RowSplit } from "@flts/forecasting/evaluation/split";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { createTable } from "@flts/forecasting/table/table";
import { z } from "zod";
import type { Artifact } from "../artifact.ts";
import { defineFamily, type Family } from "../family.ts";
import { meanForecaster } from "./mean-forecaster.ts";
import { packMember, unpackMember } from "./members.ts";
import { leastErrorWeights } from "./weights.ts";

const MODEL_FILE = "ensemble.json";

const modelSchema = z.object({
  members: z
    .array(
      z.object({
        family: z.string(),
        /** Its share of each target, in their order. */
        weights: z.array(z.number().nonnegative()),
      }),
    )
    .min(1),
});
type EnsembleModel = z.infer<typeof modelSchema>;

/**
 * The weighted mean of the round's other models. Its weights, for each target its own, are fitted on the calibrate rows, which no member was fitted on; a
 * member without weight is left out. It holds copies of its members' files, so that it is served and kept like any other model.
 */
export function ensembleOf(families: readonly Family[]): Family {
  const open = ({ manifest, files }: Artifact): Promise<Forecaster> => {
    const family = families.find(({ name }) => name === manifest.family);
    if (family === undefined)
      throw new FltsError("MODEL_UNKNOWN", `an ensemble cannot have a member ${manifest.family}`);
    return family.load(files, manifest);
  };

  return defineFamily({
    name: "ENSEMBLE",
    experiment: "Default",
    settings: {},
    combines: true,
    shapeOf: (_settings, members) => {
      if (members.length < 2)
        throw new FltsError("MEMBERS_MISSING", `an ensemble needs two members, there are ${members.length}`);
      return { window: Math.max(...members.map(({ manifest }) => manifest.window)), horizon: 1 };
    },

    async train({ table, scaling, targets, split, members, onProgress }) {
      checkMembers(members, targets, split);
      const raw = createTable(
        table.timesMs,
        table.columns,
        invertScaling(scaling, table.columns, table.values),
      );
      const history = Math.max(...members.map(({ manifest }) => manifest.window));
      const errors: Float64Array[][] = [];
      for (const member of members) {
        const forecaster = await open(member);
        try {
          const rolled = await rollForecasts(forecaster, raw, { rows: split.calibrate, history });
          errors.push(
            targets.map((_, target) => {
              const { actual, forecast } = seriesOf(rolled, target);
              return forecast.map((value, row) => value - actual[row]!);
            }),
          );
        } finally {
          await forecaster.close();
        }
        onProgress({ fraction: errors.length / members.length });
      }
      const weights = targets.map((_, target) => leastErrorWeights(errors.map((of) => of[target]!)));
      const weighed = members.map((member, index) => ({
        member,
        weights: weights.map((ofTarget) => ofTarget[index]!),
      }));
      const kept = weighed.filter((one) => one.weights.some((weight) => weight > 0));
      const model: EnsembleModel = {
        members: kept.map((one) => ({ family: one.member.manifest.family, weights: one.weights })),
      };
      return {
        columns: table.columns.filter((column) =>
          kept.some(({ member }) => member.manifest.columns.includes(column)),
        ),
        files: new Map([
          [MODEL_FILE, new TextEncoder().encode(`${JSON.stringify(model, null, 2)}\n`)],
          ...kept.flatMap(({ member }) => packMember(member)),
        ]),
        attachments: new Map(),
        params: {
          model_type: "ENSEMBLE",
          members: weighed.map(({ member }) => member.manifest.family).join(", "),
          ...Object.fromEntries(
            weighed.flatMap((one) =>
              targets.map((target, index) => [
                `weight_${one.member.manifest.family}_${target}`,
                String(one.weights[index]),
              ]),
            ),
          ),
        },
        metrics: [],
        rowsSeen: split.calibrate[1],
      };
    },

    async load(files, description) {
      const { members } = parseModel(files.get(MODEL_FILE));
      const opened: { forecaster: Forecaster; weights: readonly number[] }[] = [];
      try {
        for (const { family, weights } of members)
          opened.push({ forecaster: await open(unpackMember(files, family)), weights });
      } catch (error) {
        await Promise.all(opened.map(({ forecaster }) => forecaster.close()));
        throw error;
      }
      return meanForecaster(opened, description);
    },
  });
}

/**
 * @throws SETTINGS_INVALID when a member forecasts something else; TABLE_TOO_SHORT when one was fitted on rows that the weights would be: in a short table
 * each family's rows are cut to fit its own window
 */
function checkMembers(members: readonly Artifact[], targets: readonly string[], split: RowSplit): void {
  for (const { manifest } of members) {
    if (manifest.targets.join() !== targets.join())
      throw new FltsError(
        "SETTINGS_INVALID",
        `${manifest.family} forecasts ${manifest.targets.join(", ")}: give all trainers the same TARGETS`,
      );
    if (manifest.rows.stop[1] > split.calibrate[0])
      throw new FltsError(
        "TABLE_TOO_SHORT",
        `Not enough rows: ${manifest.family} was fitted on rows that the ensemble's weights need for themselves`,
      );
  }
}

function parseModel(bytes: Uint8Array | undefined): EnsembleModel {
  if (bytes === undefined) throw new FltsError("ARTIFACT_INVALID", `the model lacks ${MODEL_FILE}`);
  try {
    return modelSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new FltsError("ARTIFACT_INVALID", `${MODEL_FILE} is not a model of this release`, cause);
  }
}
