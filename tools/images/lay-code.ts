import { cpSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Lays our compiled code out as it belongs above a deployed service: its own `dist`, and that of each package of ours that it uses. It is a layer of its own,
 * so that a changed source moves two megabytes and installs nothing.
 *
 *   node tools/images/lay-code.ts SERVICE DEPLOYED TARGET
 *
 * @param repository with every `dist` in it
 */
export function layCode(repository: string, service: string, deployed: string, target: string): void {
  copyCode(join(repository, folderOf(repository, service)), target);
  for (const name of readdirSync(join(deployed, "node_modules", ".pnpm"))) {
    const [, own, folder] = ownPackage.exec(name) ?? [];
    if (own === undefined || folder === undefined) continue;
    const place = join("node_modules", ".pnpm", name, "node_modules", "@flts", own);
    copyCode(join(repository, folder.replace("+", "/")), join(target, place));
  }
}

/** As pnpm names the folder of a package of the workspace: `@flts+common@file+packages+common`. */
const ownPackage = /^@flts\+([^@]+)@file\+((?:packages|services)\+[^_]+)/;

function folderOf(repository: string, service: string): string {
  const found = ["services", "packages"].find((group) =>
    readdirSync(join(repository, group)).includes(service),
  );
  if (found === undefined) throw new Error(`there is no ${service}`);
  return join(found, service);
}

/** Types and source maps are for compilers and debuggers. */
const copyCode = (from: string, to: string): void =>
  cpSync(join(from, "dist"), join(to, "dist"), {
    recursive: true,
    filter: (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path),
  });

if (import.meta.main) {
  const [service, deployed, target] = process.argv.slice(2);
  if (service === undefined || deployed === undefined || target === undefined)
    throw new Error("name a service, its deployed folder and where its code goes");
  layCode(resolve("."), service, deployed, target);
}
