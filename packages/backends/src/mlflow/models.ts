import { FltsError } from "@flts/common/contracts/errors";
import type { ModelRegistry, ModelVersion } from "@flts/common/ports/run-tracker";
import { assertArtifactPath } from "../artifact-path.ts";
import { assertModelAlias, assertModelName } from "../model-name.ts";
import { answers, type MlflowModelVersion } from "./answers.ts";
import type { MlflowApi } from "./api.ts";
import { allPages } from "./paging.ts";
import { keyValues, requireRun } from "./runs.ts";

export function createModels(api: MlflowApi): ModelRegistry {
  /** Versions do not name their aliases; the model does. */
  const aliasesOf = async (name: string): Promise<ReadonlyMap<string, readonly string[]>> => {
    const found = await api.callUnless(
      "RESOURCE_DOES_NOT_EXIST",
      { verb: "GET", method: "registered-models/get", query: { name } },
      answers.model,
    );
    const aliases = found?.registered_model.aliases ?? [];
    return new Map(
      [...Map.groupBy(aliases, ({ version }) => version)].map(([version, some]) => [
        version,
        some.map(({ alias }) => alias).toSorted(),
      ]),
    );
  };

  return {
    registerModel: async ({ model: name, runId, path, tags }) => {
      assertModelName(name);
      assertArtifactPath(path);
      const { artifactUri } = await requireRun(api, runId);
      await api.callUnless(
        "RESOURCE_ALREADY_EXISTS",
        { verb: "POST", method: "registered-models/create", body: { name } },
        answers.nothing,
      );
      const body = { name, source: `${artifactUri}/${path}`, run_id: runId, tags: keyValues(tags) };
      const { model_version } = await api.call(
        { verb: "POST", method: "model-versions/create", body, once: true },
        answers.modelVersion,
      );
      return versionOf(model_version, []);
    },
    listModelVersions: async (name) => {
      assertModelName(name);
      const query = { filter: `name = '${name}'`, max_results: "1000" };
      const pages = await allPages((next) =>
        api.call(
          { verb: "GET", method: "model-versions/search", query: { ...query, ...next } },
          answers.modelVersions,
        ),
      );
      const aliases = await aliasesOf(name);
      return pages
        .flatMap(({ model_versions }) => model_versions)
        .map((version) => versionOf(version, aliases.get(version.version) ?? []))
        .toSorted((a, b) => Number(a.version) - Number(b.version));
    },
    setModelAlias: async (name, alias, version) => {
      assertModelName(name);
      assertModelAlias(alias);
      const set = await api.callUnless(
        "RESOURCE_DOES_NOT_EXIST",
        { verb: "POST", method: "registered-models/alias", body: { name, alias, version } },
        answers.nothing,
      );
      if (set === null) throw new FltsError("TRACKER_REJECTED", `Model ${name} has no version ${version}`);
    },
    removeModelAlias: async (name, alias) => {
      assertModelName(name);
      assertModelAlias(alias);
      await api.callUnless(
        "RESOURCE_DOES_NOT_EXIST",
        { verb: "DELETE", method: "registered-models/alias", body: { name, alias } },
        answers.nothing,
      );
    },
  };
}

function versionOf(version: MlflowModelVersion, aliases: readonly string[]): ModelVersion {
  const { name, run_id: runId, source, tags, creation_timestamp: createdAt } = version;
  return {
    model: name,
    version: version.version,
    runId,
    path: pathOf(source, runId),
    tags,
    aliases,
    createdAt,
  };
}

/** The folder within the run; for a version that somebody registered from elsewhere, its whole source. */
function pathOf(source: string, runId: string): string {
  for (const root of [`/${runId}/artifacts/`, `runs:/${runId}/`]) {
    const at = source.indexOf(root);
    if (at >= 0) return source.slice(at + root.length);
  }
  return source;
}
