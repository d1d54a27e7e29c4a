import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { ModelRegistry } from "@flts/common/ports/run-tracker";
import { z } from "zod";
import { assertArtifactPath } from "../artifact-path.ts";
import { assertModelAlias, assertModelName } from "../model-name.ts";

export interface StoreModelsOptions {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly clock: Clock;
  /** @throws RUN_MISSING */
  readonly assertRun: (runId: string) => Promise<unknown>;
}

const versionRecord = z.object({
  runId: z.string(),
  path: z.string(),
  tags: z.record(z.string(), z.string()),
  createdAt: z.number(),
});

/**
 * The model registry of the embedded tracker: `models/<model>/versions/<number>.json`, created once and never changed, and
 * `models/<model>/aliases/<alias>`, which holds a number.
 */
export function createStoreModels({ store, bucket, clock, assertRun }: StoreModelsOptions): ModelRegistry {
  const versionRef = (model: string, version: number): ObjectRef => ({
    bucket,
    key: `${folderOf(model)}/versions/${String(version).padStart(numberWidth, "0")}.json`,
  });
  const aliasRef = (model: string, alias: string): ObjectRef => {
    assertModelAlias(alias);
    return { bucket, key: `${folderOf(model)}/aliases/${alias}` };
  };
  const numbersOf = async (model: string): Promise<number[]> => {
    const numbers: number[] = [];
    for await (const { key } of store.list(bucket, `${folderOf(model)}/versions/`))
      numbers.push(Number(key.slice(-numberWidth - ".json".length, -".json".length)));
    return numbers;
  };
  const aliasesOf = async (model: string): Promise<ReadonlyMap<string, readonly string[]>> => {
    const aliases = new Map<string, string[]>();
    for await (const { key } of store.list(bucket, `${folderOf(model)}/aliases/`)) {
      const object = await store.get({ bucket, key });
      if (!object) continue;
      const version = Buffer.from(object.bytes).toString();
      aliases.set(version, [...(aliases.get(version) ?? []), key.slice(key.lastIndexOf("/") + 1)]);
    }
    return aliases;
  };

  return {
    registerModel: async ({ model, runId, path, tags }) => {
      assertArtifactPath(path);
      assertModelName(model);
      await assertRun(runId);
      const record = { runId, path, tags: { ...tags }, createdAt: clock.now() };
      for (let number = ((await numbersOf(model)).at(-1) ?? 0) + 1; ; number += 1) {
        try {
          await store.put(versionRef(model, number), Buffer.from(JSON.stringify(record)), {
            condition: { ifNoneMatch: "*" },
          });
          return { model, version: String(number), ...record, aliases: [] };
        } catch (error) {
          if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
        }
      }
    },
    listModelVersions: async (model) => {
      const [numbers, aliases] = [await numbersOf(model), await aliasesOf(model)];
      return Promise.all(
        numbers.map(async (number) => {
          const ref = versionRef(model, number);
          const object = await store.get(ref);
          const record = decodeVersion(object?.bytes, `${bucket}/${ref.key}`);
          const version = String(number);
          return { model, version, ...record, aliases: aliases.get(version) ?? [] };
        }),
      );
    },
    setModelAlias: async (model, alias, version) => {
      const ref = aliasRef(model, alias);
      if (!(await numbersOf(model)).map(String).includes(version))
        throw new FltsError("TRACKER_REJECTED", `Model ${model} has no version ${version}`);
      await store.put(ref, Buffer.from(version));
    },
    removeModelAlias: (model, alias) => store.remove(aliasRef(model, alias)),
  };
}

function folderOf(model: string): string {
  assertModelName(model);
  return `models/${model}`;
}

/** Digits of a version's number in its key: keys are listed in the order of their bytes. */
const numberWidth = 9;

function decodeVersion(bytes: Uint8Array | undefined, where: string): z.infer<typeof versionRecord> {
  try {
    return versionRecord.parse(JSON.parse(Buffer.from(bytes ?? []).toString()));
  } catch (error) {
    throw new FltsError("TRACKER_REJECTED", `This is no model version: ${where}`, error);
  }
}
