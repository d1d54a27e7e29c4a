import { foldsIn, rolledIn } from "./intervals/folds.ts";

/**
 * `pnpm bench:intervals DIR CACHE`: rolls every family over folds of the train files in DIR, once, and keeps the forecasts in CACHE.
 */
const [folder, cache] = process.argv.slice(2);
if (folder === undefined || cache === undefined)
  throw new Error("give a folder of <station>.csv files and one to keep forecasts in");
for (const fold of foldsIn(folder)) {
  const models = await rolledIn(fold, cache);
  console.log(JSON.stringify({ station: fold.station, share: fold.share, families: models.length }));
}
