import type { Artifact } from "@flts/families/artifact";
import { CALIBRATED_STEPS, fitFamily } from "@flts/families/fit";
import { families } from "@flts/families/registry";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { withTimeFeatures } from "@flts/forecasting/recursive";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { rowCount } from "@flts/forecasting/table/table";
import { z } from "zod";
import type { Fold, RolledModel } from "./folds.ts";

/** What every interval is judged on: the targets of the paper's protocol. */
const TARGETS = ["down", "up"];

/** Trains every family with its default settings on a fold's train rows, as a trainer does, and rolls it over the rows after those it was fitted on. */
export async function rollModels({ station, share, train, judging }: Fold): Promise<readonly RolledModel[]> {
  const preprocessed = preprocessPair(
    train,
    judging,
    defaultSettings(`${station}.csv`, `${station}-judging.csv`),
  );
  const parquet = writeParquet(preprocessed.train, { scaling: JSON.stringify(preprocessed.scaling) });
  const artifacts: Artifact[] = [];
  const models: RolledModel[] = [];
  for (const family of families.toSorted((a, b) => Number(a.combines) - Number(b.combines))) {
    const started = performance.now();
    const { artifact } = await fitFamily(family, {
      parquet,
      targets: TARGETS,
      settings: z.object(family.settings).parse({}),
      seed: `${station}/${share}/${family.name}`,
      provenance: {
        round: "",
        work_key: "",
        config_hash: "",
        identifier: station,
        table: { bucket: "", object: "", size: parquet.byteLength, sha256: "" },
        code_version: "",
      },
      members: family.combines ? artifacts : [],
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    artifacts.push(artifact);
    const { calibrate, score } = artifact.manifest.rows;
    const forecaster = await family.load(artifact.files, artifact.manifest);
    const columns = preprocessed.train.columns;
    const roll = (table: typeof train, rows: [number, number]) =>
      rollForecasts(forecaster, withTimeFeatures(table, columns), { rows, horizon: CALIBRATED_STEPS });
    models.push({
      name: family.name,
      rows: { calibrate, score },
      calibrating: await roll(train, [calibrate[0], score[1]]),
      judged: await roll(judging, [0, rowCount(judging)]),
    });
    await forecaster.close();
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
    console.error(JSON.stringify({ station, share, family: family.name, seconds }));
  }
  return models;
}
