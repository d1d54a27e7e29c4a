import { inferenceData, modelTraining, trainingData } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { readParquet, writeParquet } from "@flts/forecasting/table/parquet";
import { selectColumns } from "@flts/forecasting/table/table";
import type { ServerSite } from "./server-site.ts";

/** Messages that nobody can ever handle, of every sort, each with the code that its dead letter must have. */
export interface Poison {
  readonly name: string;
  readonly code: string;
  /** The message; it names the station wherever it can. */
  readonly value: (site: ServerSite, station: string) => Promise<Uint8Array> | Uint8Array;
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** What can be wrong with any message. */
export const malformed: readonly Poison[] = [
  { name: "no JSON", code: "EVENT_INVALID", value: (_site, station) => Buffer.from(`{"${station}`) },
  { name: "no UTF-8", code: "EVENT_INVALID", value: () => Buffer.from([0xff, 0xfe, 0x00, 0x80]) },
  {
    name: "another schema",
    code: "EVENT_INVALID",
    value: (_site, station) => json({ identifier: station, bucket: 5 }),
  },
  {
    name: "an older version",
    code: "EVENT_TOO_OLD",
    value: (_site, station) => json({ v: 0, identifier: station }),
  },
  {
    name: "an absurd version",
    code: "EVENT_INVALID",
    value: (_site, station) => json({ v: 1e9, identifier: station }),
  },
];

/** What can be wrong with any claim, and with what it claims. */
const claims: readonly Poison[] = [
  {
    name: "a claim on a truncated object",
    code: "CLAIM_CORRUPT",
    value: async (site, station) => {
      const claim = claimOf(site, station);
      const { bytes } = (await site.backends.store.get({ bucket: claim.bucket, key: claim.object }))!;
      return json({ ...claim, object: await put(site, station, bytes.subarray(0, bytes.byteLength / 2)) });
    },
  },
  {
    name: "a claim with another digest",
    code: "CLAIM_CORRUPT",
    value: (site, station) => json({ ...claimOf(site, station), sha256: sha256("something else") }),
  },
  {
    name: "a claim on something else than a table",
    code: "TABLE_INVALID",
    value: async (site, station) => json(await claimOn(site, station, Buffer.from("no parquet"))),
  },
  {
    name: "a claim on a bucket that it may not name",
    code: "CLAIM_FORBIDDEN",
    value: (site, station) => json({ ...claimOf(site, station), bucket: "mlflow" }),
  },
];

/** What else can be wrong with a claim for trainers. */
const trainingClaims: readonly Poison[] = [
  {
    name: "a claim on a table with other columns",
    code: "COLUMN_MISSING",
    value: async (site, station) => {
      const claim = claimOf(site, station);
      const { bytes } = (await site.backends.store.get({ bucket: claim.bucket, key: claim.object }))!;
      const { table, metadata } = await readParquet(bytes);
      const others = selectColumns(
        table,
        table.columns.filter((name) => name !== "down"),
      );
      return json(await claimOn(site, station, writeParquet(others, metadata)));
    },
  },
  {
    name: "a claim on nothing, after its grace",
    code: "CLAIM_MISSING",
    value: (site, station) => json({ ...claimOf(site, station), object: `${station}/nowhere.parquet` }),
  },
  {
    name: "ten megabytes",
    code: "MESSAGE_TOO_LARGE",
    value: (site, station) => json({ ...claimOf(site, station), padding: "x".repeat(10 * 1024 ** 2) }),
  },
];

/** By topic; ten megabytes only fit a topic that takes them. */
export const poisons = [
  ...[...malformed, ...claims, ...trainingClaims].map((poison) => ({ ...poison, topic: trainingData.name })),
  ...[...malformed, ...claims].map((poison) => ({ ...poison, topic: inferenceData.name })),
  ...malformed.map((poison) => ({ ...poison, topic: modelTraining.name })),
];

/** One that trainers and inference take alike: the operation says for whom it is, and may be null. */
function claimOf(site: ServerSite, station: string) {
  return { ...site.claimOf(station), operation: null };
}

async function claimOn(site: ServerSite, station: string, bytes: Uint8Array) {
  const object = await put(site, station, bytes);
  return { ...claimOf(site, station), object, size: bytes.byteLength, sha256: sha256(bytes) };
}

async function put(
  { backends: { store } }: { readonly backends: { readonly store: ObjectStore } },
  station: string,
  bytes: Uint8Array,
): Promise<string> {
  const key = `${station}/${sha256(bytes)}/processed_data.parquet`;
  await store.put({ bucket: "processed-data", key }, bytes);
  return key;
}
