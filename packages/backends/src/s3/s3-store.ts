import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type S3Client,
} from "@aws-sdk/client-s3";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import {
  describeRef,
  type ListedObject,
  type ObjectInfo,
  type ObjectRef,
  type ObjectStore,
} from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import { assertBucketName, assertObjectName } from "../object-name.ts";
import type { S3Location } from "./location.ts";
import { persist } from "./persist.ts";
import { chunksOf, discardBody, readBody } from "./s3-body.ts";
import { createS3Client } from "./s3-client.ts";
import { faultOf, isAccessDenied, isWordless, orNull } from "./s3-errors.ts";
import { createS3Writer, etagOf } from "./s3-writer.ts";

export interface S3StoreOptions {
  readonly location: S3Location;
  readonly clock: Clock;
  readonly random: Random;
}

/** An object store on any S3. Nothing is sent before the first operation, so a store that is away is told of there, not here. */
export function createS3Store({ location, clock, random }: S3StoreOptions): ObjectStore {
  const client = createS3Client(location);
  const writer = createS3Writer(client, { clock, random });
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new FltsError("STORE_UNAVAILABLE", "The S3 store is closed");
  };

  /** Sends a request that may be repeated safely. */
  const ask = <Output>(subject: string, send: () => Promise<Output>): Promise<Output> =>
    persist({ subject, send }, { clock, random });

  const askObject = async <Output>(
    ref: ObjectRef,
    send: (place: Place) => Promise<Output>,
  ): Promise<Output> => {
    assertOpen();
    assertObjectName(ref);
    return ask(describeRef(ref), () => send({ Bucket: ref.bucket, Key: ref.key }));
  };

  const getObject = (place: Place): Promise<GetObjectCommandOutput> =>
    client.send(new GetObjectCommand(place));

  const headObject = async (place: Place): Promise<ObjectInfo> => {
    try {
      return infoOf(await client.send(new HeadObjectCommand(place)));
    } catch (error) {
      if (!isWordless(error)) throw error;
      // The answer to a HEAD has no body to say whether the object is missing or we are refused (404 for both on versitygw): a GET's has.
      const answer = await getObject(place);
      discardBody(answer);
      return infoOf(answer);
    }
  };

  async function* list(bucket: string, prefix: string): AsyncGenerator<ListedObject> {
    let ContinuationToken: string | undefined;
    do {
      assertOpen();
      const page = await orNull(
        ask(`bucket=${bucket}, prefix=${prefix}`, () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              // XML cannot carry every character of a key.
              EncodingType: "url",
              ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
            }),
          ),
        ),
      );
      for (const { Key = "", ETag, Size = 0, LastModified } of page?.Contents ?? []) {
        yield {
          // A store may ignore the wish for an encoding, and says so.
          key: page?.EncodingType === "url" ? decodeURIComponent(Key.replaceAll("+", " ")) : Key,
          etag: etagOf(ETag),
          sizeBytes: Size,
          modifiedAt: LastModified?.getTime() ?? 0,
        };
      }
      ContinuationToken = page?.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  return {
    ensureBucket: async (bucket) => {
      assertOpen();
      assertBucketName(bucket);
      await ask(`bucket=${bucket}`, () => ensureBucket(client, bucket, location.region));
    },
    put: async (ref, body, options) => {
      assertOpen();
      assertObjectName(ref);
      return writer.write(ref, body, options);
    },
    get: (ref) =>
      orNull(
        askObject(ref, async (place) => {
          const answer = await getObject(place);
          return { ...infoOf(answer), bytes: await readBody(answer) };
        }),
      ),
    stream: (ref) =>
      orNull(
        askObject(ref, async (place) => {
          const answer = await getObject(place);
          return { ...infoOf(answer), chunks: chunksOf(answer, describeRef(ref)) };
        }),
      ),
    head: (ref) => orNull(askObject(ref, headObject)),
    list: (bucket, prefix) => {
      assertOpen();
      assertBucketName(bucket);
      return list(bucket, prefix);
    },
    remove: async (ref) => {
      await orNull(askObject(ref, (place) => client.send(new DeleteObjectCommand(place))));
    },
    ping: async () => {
      assertOpen();
      try {
        await client.send(new ListBucketsCommand({ MaxBuckets: 1 }));
      } catch (error) {
        // Whoever may not list buckets is known to the store all the same.
        if (!isAccessDenied(error)) throw faultOf(error, location.endpoint).error;
      }
    },
    close: async () => {
      closed = true;
      client.destroy();
    },
  };
}

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

const infoOf = (answer: {
  readonly ETag?: string | undefined;
  readonly ContentLength?: number | undefined;
}): ObjectInfo => ({ etag: etagOf(answer.ETag), sizeBytes: answer.ContentLength ?? 0 });

async function ensureBucket(client: S3Client, bucket: string, region: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!isWordless(error)) throw error;
    await createBucket(client, bucket, region);
  }
}

async function createBucket(client: S3Client, bucket: string, region: string): Promise<void> {
  try {
    // AWS's first region is the one that must not be named.
    const LocationConstraint = region === "us-east-1" ? undefined : (region as BucketLocationConstraint);
    const place = LocationConstraint && { CreateBucketConfiguration: { LocationConstraint } };
    await client.send(new CreateBucketCommand({ Bucket: bucket, ...place }));
  } catch (error) {
    if (!(error instanceof Error && error.name === "BucketAlreadyOwnedByYou")) throw error;
  }
}
