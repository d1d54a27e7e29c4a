import { S3Client } from "@aws-sdk/client-s3";
import type { S3Location } from "./location.ts";

/** How many requests are under way at once; the others wait for a connection. */
const connections = 64;
const connectTimeoutMs = 3000;
/** A connection on which nothing has moved for so long is dead. A reader may take as long between two chunks. */
const silenceTimeoutMs = 60_000;

/**
 * A client with a pool of kept-alive connections; it opens the first one when it is first used. Certificate authorities beyond Node's own come
 * from `NODE_EXTRA_CA_CERTS`, which Node reads itself.
 */
export function createS3Client(location: S3Location): S3Client {
  const agent = { keepAlive: true, maxSockets: connections };
  return new S3Client({
    endpoint: location.endpoint,
    region: location.region,
    ...credentialsOf(location),
    // Buckets as sub-domains need a wildcard DNS entry, which stores of one's own rarely have.
    forcePathStyle: true,
    // `persist` repeats requests, for it must know whether an answer was lost.
    maxAttempts: 1,
    // By default checksums travel as trailers, which older stores take for a part of the body. TLS or the signature guards bodies anyway.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // `Expect: 100-continue` makes the SDK open a connection of its own for every larger body.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: silenceTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
      // It would warn of requests that wait for a connection in lines that are no JSON; waiting is what a pool is for.
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
  });
}

const silent = (): void => undefined;

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: S3Location) {
  if (accessKeyId === "") return {};
  return {
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === "" ? {} : { sessionToken }) },
  };
}
