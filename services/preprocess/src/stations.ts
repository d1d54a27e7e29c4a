import { FltsError } from "@flts/common/contracts/errors";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { PreprocessConfig } from "./config.ts";

/** A station and its two files. */
export interface Station {
  readonly identifier: string;
  readonly trainFile: string;
  readonly testFile: string;
}

/** The reference's. */
const DEFAULT_DATASET = "PobleSec";
const ALL = "*";
const TRAIN = ".csv";
const TEST = "_test.csv";

/**
 * The stations a configuration names. A single one keeps IDENTIFIER and may have files of any name; each of several, or of all (`*`), is identified by the name of its
 * files, and IDENTIFIER counts for nothing.
 * @throws CONFIG_INVALID for named files beside several stations; INPUT_MISSING when `*` finds none
 */
export async function listStations(
  config: PreprocessConfig,
  store: ObjectStore,
): Promise<readonly Station[]> {
  const { IDENTIFIER, INPUT_BUCKET, DATASET_NAME, TRAIN_FILE, TEST_FILE } = config;
  const names = [...new Set(DATASET_NAME.split(",").map((name) => name.trim()))].filter(
    (name) => name !== "",
  );
  const [only = DEFAULT_DATASET] = names;
  if (names.length < 2 && only !== ALL)
    return [
      {
        identifier: IDENTIFIER,
        trainFile: TRAIN_FILE || `${only}${TRAIN}`,
        testFile: TEST_FILE || `${only}${TEST}`,
      },
    ];
  if (TRAIN_FILE !== "" || TEST_FILE !== "")
    throw new FltsError(
      "CONFIG_INVALID",
      `TRAIN_FILE and TEST_FILE name the files of one station, DATASET_NAME=${DATASET_NAME} names several: give one or the other`,
    );
  const found = names.includes(ALL) ? await pairsIn(store, INPUT_BUCKET) : names;
  if (found.length === 0)
    throw new FltsError(
      "INPUT_MISSING",
      `bucket ${INPUT_BUCKET} holds no pair of files <station>${TRAIN} and <station>${TEST}: upload them on the gateway, or name the files in TRAIN_FILE and TEST_FILE`,
    );
  return found.map((name) => ({
    identifier: name,
    trainFile: `${name}${TRAIN}`,
    testFile: `${name}${TEST}`,
  }));
}

/** Every name in a bucket that has both files. */
async function pairsIn(store: ObjectStore, bucket: string): Promise<readonly string[]> {
  const files = new Set<string>();
  for await (const { key } of store.list(bucket, "")) if (!key.includes("/")) files.add(key);
  return [...files]
    .filter((file) => file.endsWith(TRAIN))
    .map((file) => file.slice(0, -TRAIN.length))
    .filter((name) => name !== "" && files.has(`${name}${TEST}`));
}
