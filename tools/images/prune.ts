import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * Takes out of a deployed service what no process reads: other platforms' native libraries, types, source maps, documentation, tests. Says what is left, and
 * ends with code 1 when that is more than an image of ours may hold.
 *
 *   node tools/images/prune.ts FOLDER [--platform linux/amd64]
 */
export interface Left {
  /** Apparent size of all files. */
  readonly bytes: number;
  /** That of onnxruntime with its native library. */
  readonly onnxruntimeBytes: number;
}

const MEBIBYTE = 1024 ** 2;
export const limits = { withoutOnnxruntime: 60 * MEBIBYTE, withOnnxruntime: 120 * MEBIBYTE };

/** Paths of what goes, from the folder on and with a slash before them. */
const needless: readonly RegExp[] = [
  // Read by compilers, debuggers, browsers and people.
  /\.(ts|mts|cts|map|md|markdown|tsbuildinfo|html|dll|exe)$/,
  /\/(test|tests|__tests__|benchmarks?|examples?|docs|coverage|\.github|@types)$/,
  // Our own sources beside `dist`.
  /^\/(src|test|bench)$/,
  /\/node_modules\/@flts\/[^/]+\/(src|bench)$/,
  // What packages carry a second time, for browsers and bundlers.
  /\/node_modules\/date-holidays\/dist$/,
  /\/node_modules\/moment\/(min|src)$/,
  /\/node_modules\/zod\/src$/,
  /\/node_modules\/apache-arrow\/(src|[^/]*\.min\.js)$/,
];

const nativeLibrary = /\/onnxruntime-node\/bin\/napi-v\d+\/([^/]+)\/([^/]+)$/;
const onnxruntime = /\/node_modules\/onnxruntime-node\//;

/** @param platform as Docker names it, such as `linux/amd64` */
export function prune(folder: string, platform: string): Left {
  const [os = "", cpu = ""] = platform.split("/");
  const here = `${os}/${cpu === "amd64" ? "x64" : cpu}`;
  const left = { bytes: 0, onnxruntimeBytes: 0 };
  visit(folder, "", (path, sizeBytes) => {
    const [, theirOs, theirCpu] = nativeLibrary.exec(path) ?? [];
    const isForeign = theirOs !== undefined && `${theirOs}/${theirCpu}` !== here;
    if (isForeign || needless.some((pattern) => pattern.test(`/${path}`))) {
      rmSync(join(folder, path), { recursive: true });
      return false;
    }
    left.bytes += sizeBytes;
    if (onnxruntime.test(path)) left.onnxruntimeBytes += sizeBytes;
    return true;
  });
  return left;
}

/** Whether that is no more than an image of ours may hold. */
export const fits = ({ bytes, onnxruntimeBytes }: Left): boolean =>
  bytes - onnxruntimeBytes <= limits.withoutOnnxruntime && bytes <= limits.withOnnxruntime;

/** Every file and folder, folders first, none behind a link; `onPath` says whether a folder is to be entered. */
function visit(folder: string, path: string, onPath: (path: string, sizeBytes: number) => boolean): void {
  for (const name of readdirSync(join(folder, path))) {
    const inner = path === "" ? name : `${path}/${name}`;
    const entry = lstatSync(join(folder, inner));
    const enter = onPath(inner, entry.isFile() ? entry.size : 0);
    if (enter && entry.isDirectory()) visit(folder, inner, onPath);
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { platform: { type: "string", default: `linux/${process.arch}` } },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error("name the folder of a deployed service");
  const left = prune(folder, values.platform);
  console.log(JSON.stringify({ folder, ...left, limits }));
  process.exitCode = fits(left) ? 0 : 1;
}
