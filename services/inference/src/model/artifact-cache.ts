import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "@flts/common/contracts/identity";
import { checkName, promotionFolder } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import type { Random } from "@flts/common/ports/random";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import type { ChampionMemory } from "./pursuit.ts";

/**
 * A folder with the files of the models that this replica served last, so that it can start without store and tracker. It is trusted with
 * nothing: whoever reads from it verifies digests, as with what comes from afar.
 *
 * `<dir>/<station>/champion.json` · `<dir>/<station>/runs/<run id>/<sha256 of the path>`
 */
export interface ArtifactCache extends ChampionMemory {
  /** The tracker, with files of runs kept here once they were fetched. */
  through(tracker: RunTracker): RunTracker;
  /** Throws away the files of a run: they were found to be wrong. */
  forget(runId: string): Promise<void>;
}

export interface ArtifactCacheOptions {
  readonly dir: string;
  readonly identifier: string;
  /** Names files under way, so that several writers do not meet. */
  readonly random: Random;
  readonly log: Logger;
}

export function createArtifactCache({ dir, identifier, random, log }: ArtifactCacheOptions): ArtifactCache {
  const home = join(dir, promotionFolder(identifier));
  const champion = join(home, "champion.json");
  const runs = join(home, "runs");
  const runFolder = (runId: string): string => join(runs, checkName("run id", runId));

  /** Whole or not at all, as a reader sees it. */
  const writeWhole = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    const underWay = `${path}.${random.hex(4)}.tmp`;
    await writeFile(underWay, bytes);
    await rename(underWay, path);
  };

  const recall = async (): Promise<Promotion | null> => {
    const text = await readIfThere(champion);
    if (text === null) return null;
    const parsed = promotionSchema.safeParse(parseJson(text.toString()));
    return parsed.success ? parsed.data : null;
  };

  return {
    recall,
    async remember(promotion) {
      const before = await recall();
      await writeWhole(champion, JSON.stringify(promotion));
      const kept = new Set([promotion.run_id, before?.run_id]);
      for (const run of await readdir(runs).catch(() => []))
        if (!kept.has(run)) await rm(join(runs, run), { recursive: true, force: true });
    },
    through: (tracker) => ({
      ...tracker,
      async getArtifact(runId, path) {
        const file = join(runFolder(runId), sha256(path));
        const kept = await readIfThere(file);
        if (kept !== null) return kept;
        const fetched = await tracker.getArtifact(runId, path);
        if (fetched !== null)
          await writeWhole(file, fetched).catch((error: unknown) =>
            log.error("model_cache_fail", error, { run_id: runId, path }),
          );
        return fetched;
      },
    }),
    forget: (runId) => rm(runFolder(runId), { recursive: true, force: true }),
  };
}

/** Null for whatever cannot be read: the cache is a convenience. */
const readIfThere = (path: string): Promise<Buffer | null> => readFile(path).catch(() => null);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
