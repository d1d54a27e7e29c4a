/**
 * How fast objects go to S3 and back: through our adapter, and beside it through the bare SDK with its defaults, in alternation in the same run. Prints one JSON
 * line per figure: rates of the shortest turn, and the median over all pairs of turns of adapter to SDK, which other work on the machine moves least. Ends with 1
 * when the adapter reaches less than `minRatio` of the SDK. Needs S3_ENDPOINT and the AWS variables; `pnpm bench:store`.
 */
import process from "node:process";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { loadConfig } from "@flts/common/service/config";
import { backendSecrets, backendSettings } from "../src/connect.ts";
import { s3Location } from "../src/s3/location.ts";
import { createS3Store } from "../src/s3/s3-store.ts";
import { createSystemClock } from "../src/system-clock.ts";
import { createSystemRandom } from "../src/system-random.ts";

const minRatio = 0.9;
const bucket = "bench-store";
const location = s3Location(loadConfig(backendSettings, process.env, backendSecrets));

/** What both ways can do: write an object whole, read it whole. */
interface Way {
  put(key: string, body: Uint8Array): Promise<unknown>;
  get(key: string): Promise<Uint8Array | undefined>;
}

const store = createS3Store({ location, clock: createSystemClock(), random: createSystemRandom() });
const adapter: Way = {
  put: (key, body) => store.put({ bucket, key }, body),
  get: async (key) => (await store.get({ bucket, key }))?.bytes,
};

const client = new S3Client({
  endpoint: location.endpoint,
  region: location.region,
  forcePathStyle: true,
  credentials: { accessKeyId: location.accessKeyId, secretAccessKey: location.secretAccessKey },
});
const sdk: Way = {
  put: (Key, Body) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body })),
  get: async (Key) =>
    (await client.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body?.transformToByteArray(),
};

interface Load {
  readonly name: string;
  readonly unit: "objects/s" | "MB/s";
  readonly bytes: number;
  /** Operations in one turn, and how many of them are under way at once. */
  readonly count: number;
  readonly atOnce: number;
  readonly turns: number;
}

const loads: readonly Load[] = [
  { name: "4 KiB", unit: "objects/s", bytes: 4096, count: 24, atOnce: 8, turns: 100 },
  { name: "64 MiB", unit: "MB/s", bytes: 64 * 1024 * 1024, count: 1, atOnce: 1, turns: 20 },
];

interface Turn {
  readonly adapter: number;
  readonly sdk: number;
}

await store.ensureBucket(bucket);
let slowest = Number.POSITIVE_INFINITY;
for (const load of loads) {
  const body = Buffer.alloc(load.bytes, "0123456789abcdef");
  for (const operation of ["put", "get"] as const) {
    const turns = await compare(load, async (way, key) => {
      if (operation === "put") await way.put(key, body);
      else if ((await way.get(key))?.byteLength !== load.bytes) throw new Error(`${key} is not whole`);
    });
    const rates = {
      adapter: rateOf(load, Math.min(...turns.map((turn) => turn.adapter))),
      sdk: rateOf(load, Math.min(...turns.map((turn) => turn.sdk))),
    };
    const ratio = median(turns.map((turn) => turn.sdk / turn.adapter));
    slowest = Math.min(slowest, ratio);
    print({
      figure: `s3_${operation}`,
      size: load.name,
      unit: load.unit,
      ...rounded(rates),
      ratio: round(ratio),
    });
  }
}
for await (const { key } of store.list(bucket, "")) await store.remove({ bucket, key });
client.destroy();
await store.close();
print({ figure: "s3_lowest_ratio", ratio: round(slowest), required: minRatio });
process.exitCode = slowest < minRatio ? 1 : 0;

/** Seconds of each turn of each way, after one that does not count. Who begins changes from turn to turn. */
async function compare(
  load: Load,
  operate: (way: Way, key: string) => Promise<void>,
): Promise<readonly Turn[]> {
  const ways = { adapter, sdk };
  const turns: Turn[] = [];
  for (let turn = 0; turn <= load.turns; turn += 1) {
    const seconds = { adapter: 0, sdk: 0 };
    for (const name of turn % 2 === 0 ? (["adapter", "sdk"] as const) : (["sdk", "adapter"] as const)) {
      const startMs = performance.now();
      await inParallel(load, (index) => operate(ways[name], `${load.name}/${index}`));
      seconds[name] = (performance.now() - startMs) / 1000;
    }
    if (turn > 0) turns.push(seconds);
  }
  return turns;
}

async function inParallel({ count, atOnce }: Load, operate: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await operate(next);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function rateOf({ unit, bytes, count }: Load, seconds: number): number {
  return unit === "objects/s" ? count / seconds : (count * bytes) / 1e6 / seconds;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function rounded(rates: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, Math.round(rate)]));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function print(figure: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(figure));
}
