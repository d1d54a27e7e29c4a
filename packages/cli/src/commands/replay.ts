import type { Backends } from "@flts/backends/connect";
import { readDocument } from "@flts/common/claim-check/documents";
import { candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { FltsError } from "@flts/common/contracts/errors";
import { trainingData } from "@flts/common/contracts/events";
import { buckets, keys } from "@flts/common/contracts/layout";
import { type Emission, emit } from "@flts/common/contracts/topic";
import { type Replay, replay } from "@flts/common/housekeeping/replay";
import { toMessage } from "@flts/common/stage/runner";
import { claimsOf, readHeads } from "@flts/preprocess/head";
import { withHome } from "../home.ts";
import { runMeant } from "../meant.ts";
import type { Output } from "../terminal/output.ts";

/** `flts replay --topic --group --to`: lets a group handle messages again. @throws GROUP_ACTIVE, TOPIC_MISSING */
export const replayGroup = (home: string, request: Replay, output: Output): Promise<void> =>
  withHome(home, async ({ log }) => {
    const done = await replay(log, request);
    output.say(
      done.kind === "moved"
        ? `${request.group} goes on at ${placeOf(request.to)} of ${request.topic} when its next member joins`
        : `${done.messages} message(s) of ${request.topic} published once more, for every group that hears it`,
    );
    output.result({ ...done, group: request.group, topic: request.topic });
  });

const placeOf = (to: Replay["to"]): string => {
  if (typeof to === "string") return to;
  return "offset" in to ? `offset ${to.offset}` : new Date(to.timeMs).toISOString();
};

/** `flts replay --run`: publishes the claims that a run was trained on again, from the store: the topic may have forgotten them. */
export const replayRun = (home: string, runId: string, output: Output): Promise<void> =>
  withHome(home, async (backends) => {
    const claims = await claimsOfRun(backends, await runMeant(runId, backends.store));
    await backends.log.publish(claims.map(toMessage));
    const names = claims.map(({ topic }) => topic);
    output.say(`published again: the claim(s) of run ${runId} on ${names.join(" and ")}`);
    output.result({ run: runId, topics: names, claims: claims.map(({ value }) => value) });
  });

/**
 * The claims of a run's round: both where its tables are the station's present ones, else the training claim, which the run's candidate holds.
 * @throws RUN_MISSING for an unknown run, or one that is not a trainer's; OBJECT_MISSING when no table is left of its round
 */
export async function claimsOfRun(
  { store, tracker }: Pick<Backends, "store" | "tracker">,
  runId: string,
): Promise<readonly Emission[]> {
  const run = await tracker.getRun(runId);
  if (run === null) throw new FltsError("RUN_MISSING", `there is no run ${runId}`);
  const { round = "", work_key: workKey = "", model_type: family = "", identifier = "" } = run.tags;
  if (round === "" || workKey === "")
    throw new FltsError(
      "RUN_MISSING",
      `run ${runId} carries no round and work key: no trainer of FLTS made it`,
    );
  const headOf = (name: string) => ({
    bucket: buckets.processed,
    key: keys.processedHead(identifier, name),
  });
  const heads = await readHeads(store, headOf("processed_data"), headOf("test_processed_data"));
  if (heads?.train.round === round && heads.test.round === round) return claimsOf(heads.train, heads.test);

  const ref = { bucket: buckets.promotion, key: keys.candidate(round, family, workKey) };
  const candidate = (await readDocument(store, ref, candidateSchema, "POINTER_INVALID"))?.document;
  const { table, config_hash = "" } = candidate ?? {};
  if (table === undefined || (await store.head({ bucket: table.bucket, key: table.object })) === null)
    throw new FltsError(
      "OBJECT_MISSING",
      `no table is left of the round of run ${runId}: run preprocess again on its files`,
    );
  const { sha256, ...claim } = table;
  const digest = sha256 === "" ? {} : { sha256 };
  return [emit(trainingData, { v: MESSAGE_VERSION, ...claim, ...digest, config_hash, identifier, round })];
}
