import { FltsError } from "@flts/common/contracts/errors";
import { answers, type MlflowExperiment } from "./answers.ts";
import type { MlflowApi } from "./api.ts";
import { allPages } from "./paging.ts";

/** The experiment of that name, deleted ones included, or null. */
export async function findExperiment(api: MlflowApi, name: string): Promise<MlflowExperiment | null> {
  const found = await api.callUnless(
    "RESOURCE_DOES_NOT_EXIST",
    { verb: "GET", method: "experiments/get-by-name", query: { experiment_name: name } },
    answers.experiment,
  );
  return found && found.experiment;
}

/** All experiments that are not deleted. */
export async function listExperiments(api: MlflowApi): Promise<readonly MlflowExperiment[]> {
  const pages = await allPages((next) =>
    api.call(
      { verb: "POST", method: "experiments/search", body: { max_results: 1000, ...next } },
      answers.experiments,
    ),
  );
  return pages.flatMap(({ experiments }) => experiments);
}

export async function nameOfExperiment(api: MlflowApi, id: string): Promise<string> {
  const { experiment } = await api.call(
    { verb: "GET", method: "experiments/get", query: { experiment_id: id } },
    answers.experiment,
  );
  return experiment.name;
}

/**
 * The id of the experiment of that name, which is created when there is none. One that was deleted is restored: its name is taken until
 * MLflow's own gc, and a training must not be lost because somebody tidied up.
 */
export async function ensureExperiment(api: MlflowApi, name: string): Promise<string> {
  const experiment =
    (await findExperiment(api, name)) ??
    ((await createExperiment(api, name)) || (await findExperiment(api, name)));
  if (experiment === null)
    throw new FltsError("TRACKER_UNAVAILABLE", `Experiment ${name} of MLflow comes and goes`);
  if (typeof experiment === "string") return experiment;
  const { experiment_id, lifecycle_stage } = experiment;
  if (lifecycle_stage === "deleted")
    await api.callUnless(
      "RESOURCE_DOES_NOT_EXIST", // restored by somebody else meanwhile
      { verb: "POST", method: "experiments/restore", body: { experiment_id } },
      answers.nothing,
    );
  return experiment_id;
}

/** @returns its id; null when another client was faster */
async function createExperiment(api: MlflowApi, name: string): Promise<string | null> {
  const created = await api.callUnless(
    "RESOURCE_ALREADY_EXISTS",
    { verb: "POST", method: "experiments/create", body: { name } },
    answers.experimentId,
  );
  return created && created.experiment_id;
}
