import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * Keeps what Node makes of modules (types stripped, code compiled) in a folder, for the next start of this program and for every process that inherits
 * `environment`: it is half of a service's start. Where the folder cannot be written, or `NODE_DISABLE_COMPILE_CACHE` forbids it, nothing is kept.
 */
export function keepCompiledCode(folder: URL, environment: NodeJS.ProcessEnv): void {
  const { directory } = enableCompileCache(fileURLToPath(folder));
  if (directory !== undefined) environment["NODE_COMPILE_CACHE"] ??= directory;
}

/** Writes what was compiled so far, which Node else does at the end: processes that are started next find it. */
export const shareCompiledCode = flushCompileCache;
