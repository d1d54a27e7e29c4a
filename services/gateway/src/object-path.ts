import type { ObjectRef } from "@flts/common/ports/object-store";
import { HttpError } from "@flts/common/service/http";

/** S3's limit for keys. */
const MAX_KEY_BYTES = 1024;
/** What file systems allow for one name. */
const MAX_SEGMENT_BYTES = 255;

/** Everything that is invisible, turns the direction of writing, or ends a line. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * The object that `/<action>/<bucket>/<object name>` names, taken from the URL as it was sent: a router that decodes first cannot tell
 * `a%2Fb` from `a/b`. Refuses with 400 whatever could mean another place than it shows: empty, `.` and `..` segments, encoded
 * slashes, backslashes and dots, absolute names, control characters, over-long names.
 */
export function parseObjectPath(url: string): ObjectRef {
  const [path = ""] = url.split(/[?#]/, 1);
  const [, , bucket, ...rest] = path.split("/");
  if (bucket === undefined || rest.length === 0)
    throw refusal("the path must be /<bucket>/<object name> after the action");
  const segments = rest.map(parseSegment);
  const key = segments.join("/");
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw refusal(`it has more than ${MAX_KEY_BYTES} bytes`);
  return { bucket: parseSegment(bucket), key };
}

function parseSegment(encoded: string): string {
  if (/%(?:2f|5c|2e|25)/i.test(encoded))
    throw refusal("slashes, backslashes, dots and per cent signs cannot be encoded");
  const segment = decode(encoded);
  if (segment === "")
    throw refusal("it has an empty part: it is absolute, or ends in a slash, or doubles one");
  if (segment === "." || segment === "..") throw refusal(`it has the part "${segment}"`);
  if (segment.includes("\\")) throw refusal("it has a backslash");
  if (unprintable.test(segment)) throw refusal("it has a control character");
  if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
    throw refusal(`a part of it has more than ${MAX_SEGMENT_BYTES} bytes`);
  return segment;
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw refusal("it is not UTF-8 in per cent encoding");
  }
}

const refusal = (why: string): HttpError => new HttpError(400, `Not an object's name: ${why}`);
