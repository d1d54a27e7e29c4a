import { trainingData } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { parseEvent } from "@flts/common/contracts/topic";
import type { Ledgers } from "@flts/common/housekeeping/reconcile";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { claimsOf, readHeads } from "./head.ts";

export interface ClaimLedgersDeps {
  readonly store: ObjectStore;
  readonly log: MessageLog;
  readonly outputBucket: string;
  readonly outputTrain: string;
  readonly outputTest: string;
  readonly promotionBucket: string;
}

/** Every station's present tables, and the claims that told of them. Tables that somebody has trained on are served without. */
export function claimLedgers(deps: ClaimLedgersDeps): Ledgers {
  const { store, log, outputBucket, outputTrain, outputTest, promotionBucket } = deps;
  return {
    async *markers() {
      for await (const { key } of store.list(outputBucket, "")) {
        const folder = key.slice(0, key.lastIndexOf("/") + 1);
        if (key !== `${folder}${keys.processedHead("", outputTrain)}`) continue;
        const testRef = { bucket: outputBucket, key: `${folder}${keys.processedHead("", outputTest)}` };
        const heads = await readHeads(store, { bucket: outputBucket, key }, testRef);
        // A job that died between the two heads is done again from its start.
        if (heads === null || heads.train.round !== heads.test.round) continue;
        const { round } = heads.train;
        yield {
          id: round,
          emissions: claimsOf(heads.train, heads.test),
          isServed: () => isTrainedOn(round),
        };
      }
    },
    async announced() {
      const rounds = new Set<string>();
      for await (const { value } of log.browse(trainingData.name)) rounds.add(roundOf(value) ?? "");
      return rounds;
    },
  };

  async function isTrainedOn(round: string): Promise<boolean> {
    for await (const { key } of store.list(promotionBucket, keys.candidatesOf(round)))
      if (key.endsWith(".json")) return true;
    return false;
  }
}

/** What is no claim claims nothing. */
function roundOf(value: Uint8Array): string | undefined {
  try {
    return parseEvent(trainingData, value).round;
  } catch {
    return undefined;
  }
}
