import { assertArtifactPath } from "@flts/backends/artifact-path";
import { assertModelAlias, assertModelName } from "@flts/backends/model-name";
import { FltsError } from "@flts/common/contracts/errors";
import type { ModelRegistry, ModelVersion } from "@flts/common/ports/run-tracker";

interface MemoryModel {
  readonly versions: Omit<ModelVersion, "aliases">[];
  readonly aliases: Map<string, string>;
}

/** A model registry in memory. `assertRun` throws for a run that is not there, `now` dates the versions. */
export function createMemoryRegistry(assertRun: (runId: string) => void, now: () => number): ModelRegistry {
  const models = new Map<string, MemoryModel>();
  const modelOf = (name: string): MemoryModel => {
    assertModelName(name);
    return models.get(name) ?? { versions: [], aliases: new Map() };
  };

  return {
    registerModel: async ({ model: name, runId, path, tags }) => {
      assertArtifactPath(path);
      const model = modelOf(name);
      assertRun(runId);
      const version = {
        model: name,
        version: String(model.versions.length + 1),
        runId,
        path,
        tags: { ...tags },
        createdAt: now(),
      };
      model.versions.push(version);
      models.set(name, model);
      return { ...version, aliases: [] };
    },
    listModelVersions: async (name) => {
      const { versions, aliases } = modelOf(name);
      return versions.map((version) => ({
        ...version,
        aliases: [...aliases]
          .filter(([, number]) => number === version.version)
          .map(([alias]) => alias)
          .toSorted(),
      }));
    },
    setModelAlias: async (name, alias, version) => {
      assertModelAlias(alias);
      const { versions, aliases } = modelOf(name);
      if (!versions.some((present) => present.version === version))
        throw new FltsError("TRACKER_REJECTED", `Model ${name} has no version ${version}`);
      aliases.set(alias, version);
    },
    removeModelAlias: async (name, alias) => {
      assertModelAlias(alias);
      modelOf(name).aliases.delete(alias);
    },
  };
}
