import { FltsError } from "@flts/common/contracts/errors";
import { describeRef, type ObjectRef } from "@flts/common/ports/object-store";

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const maxKeyBytes = 1024;
/** What stores that keep objects as files take for a part of a key. */
const maxPartBytes = 255;

/**
 * Holds a reference to the rules for names before anything is sent, so that every store refuses the same ones. Beyond S3's own rules, a key's parts
 * between slashes must be plain: some stores refuse `x//y` and `a/./b`, some lose a leading slash, and some take `x/../y` for `y`.
 * @throws OBJECT_NAME_INVALID
 */
export function assertObjectName(ref: ObjectRef): void {
  assertBucketName(ref.bucket);
  const fault = keyFault(ref.key);
  if (fault !== null) throw new FltsError("OBJECT_NAME_INVALID", `${fault} (${describeRef(ref)})`);
}

/** @throws OBJECT_NAME_INVALID */
export function assertBucketName(bucket: string): void {
  if (bucketName.test(bucket) && !bucket.includes("..")) return;
  throw new FltsError(
    "OBJECT_NAME_INVALID",
    `A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens (bucket=${bucket})`,
  );
}

function keyFault(key: string): string | null {
  if (key === "") return "An object's key must not be empty";
  if (!key.isWellFormed()) return "An object's key must be well-formed Unicode";
  if (key.includes("\0")) return "An object's key must not contain a zero byte";
  if (Buffer.byteLength(key) > maxKeyBytes) return `An object's key has at most ${maxKeyBytes} bytes`;
  for (const part of key.split("/")) {
    if (part === "") return "An object's key must not begin or end with a slash, or have two together";
    if (part === "." || part === "..") return `An object's key must not have the part "${part}"`;
    if (Buffer.byteLength(part) > maxPartBytes)
      return `A part of an object's key has at most ${maxPartBytes} bytes`;
  }
  return null;
}

/** Order of keys in a listing: that of their UTF-8 bytes, which differs from JavaScript's beyond U+FFFF. */
export const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
