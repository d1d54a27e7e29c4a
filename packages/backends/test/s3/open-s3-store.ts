import process from "node:process";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createS3Store } from "../../src/s3/s3-store.ts";
import { createSystemClock } from "../../src/system-clock.ts";
import { createSystemRandom } from "../../src/system-random.ts";

/** Where the server of this test run is, as its environment says. Without one the tests fail: they must not pass by not running. */
export function serverLocation() {
  return {
    endpoint: value("S3_ENDPOINT"),
    region: process.env["AWS_REGION"] ?? "us-east-1",
    accessKeyId: value("AWS_ACCESS_KEY_ID"),
    secretAccessKey: value("AWS_SECRET_ACCESS_KEY"),
    sessionToken: "",
  };
}

/** Opens the S3 store of a test in any process. */
export const open = async (change: Partial<ReturnType<typeof serverLocation>> = {}): Promise<ObjectStore> =>
  createS3Store({
    location: { ...serverLocation(), ...change },
    clock: createSystemClock(),
    random: createSystemRandom(),
  });

function value(name: string): string {
  const text = process.env[name];
  if (text === undefined || text === "")
    throw new Error(`${name} is not set: start a store, for example with tools/components/s3.sh up`);
  return text;
}
