import { encodeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import { evalStage } from "../../src/eval-stage.ts";
import { bucket, context } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";

/** Pointers as people lay them, and a station whose champion they want to replace. */

/** The pointer of the validation report (§5.2 A), as an operator types it. */
export const typed = ({ run_id, model_type, config_hash }: Candidate): Uint8Array =>
  encodeDocument({
    model_uri: `s3://mlflow/0/${run_id}/artifacts/${model_type}`,
    run_id,
    experiment_name: "Default",
    model_type,
    config_hash,
    score: 0.6717,
    timestamp: "2025-11-04T23:05:00Z",
  });

/** The reference's own pointer (behaviour §6.4). */
export const referencePointer = ({ run_id, model_type, config_hash }: Candidate): Uint8Array =>
  encodeDocument({
    identifier: "",
    config_hash,
    run_id,
    model_type,
    experiment: "Default",
    model_uri: `runs:/${run_id}/${model_type}`,
    rmse: 0.1,
    mae: 0.1,
    mse: 0.01,
    score: 0.08,
    timestamp: "2025-10-02T00:00:00Z",
    weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
  });

/** The same in the envelope that the reference's gateway stored. */
export const enveloped = (candidate: Candidate): Uint8Array =>
  Buffer.concat([
    Buffer.from('--4f2a\r\nContent-Disposition: form-data; name="file"; filename="current.json"\r\n\r\n'),
    referencePointer(candidate),
    Buffer.from("\r\n--4f2a--\r\n"),
  ]);

export const lay = (world: World, key: string, bytes: Uint8Array) => world.store.put({ bucket, key }, bytes);

export async function openWorld(): Promise<{
  readonly world: World;
  readonly champion: Candidate;
  readonly other: Candidate;
}> {
  const world = await createWorld();
  const champion = await world.train();
  await evalStage.handle(successOf(champion), world.evalDeps(), context);
  return { world, champion, other: await world.train({ window: 5, round: "other" }) };
}
