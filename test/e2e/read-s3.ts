import { GetObjectCommand, ListBucketsCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";

/** What lies in an S3 store, read with its plain client. */
export interface S3Contents {
  readonly buckets: readonly string[];
  /** All keys of a bucket, in order. */
  keys(bucket: string): Promise<readonly string[]>;
  bytes(bucket: string, key: string): Promise<Uint8Array>;
  json(bucket: string, key: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Credentials are those of the environment. */
export async function readS3(endpoint: string): Promise<S3Contents> {
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: process.env["AWS_REGION"] ?? "us-east-1",
  });
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  const bytes = async (bucket: string, key: string): Promise<Uint8Array> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Body!.transformToByteArray();
  };
  return {
    buckets: Buckets.map(({ Name = "" }) => Name).toSorted(),
    bytes,
    async keys(bucket) {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket }))
        keys.push(...Contents.map(({ Key = "" }) => Key));
      return keys;
    },
    json: async (bucket, key) =>
      JSON.parse(new TextDecoder().decode(await bytes(bucket, key))) as Record<string, unknown>,
  };
}
