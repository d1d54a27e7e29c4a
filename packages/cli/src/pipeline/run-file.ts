import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** `<home>/run/up.json`: which services `flts up` keeps running, for the other commands. A hint: it may be left over from a tree that was killed. */
const runFile = z.object({
  pid: z.number().int().positive(),
  endpoints: z.array(
    z.object({
      name: z.string(),
      pid: z.number().nullable(),
      url: z.string().nullable(),
      metricsUrl: z.string().nullable(),
    }),
  ),
});
export type RunFile = z.infer<typeof runFile>;

const folderOf = (home: string): string => join(home, "run");
const pathOf = (home: string): string => join(folderOf(home), "up.json");

export async function writeRunFile(home: string, content: RunFile): Promise<void> {
  await mkdir(folderOf(home), { recursive: true });
  await writeFile(pathOf(home), `${JSON.stringify(content, null, 2)}\n`);
}

export const removeRunFile = (home: string): Promise<void> => rm(pathOf(home), { force: true });

/** What runs at present in this home; null where nothing does. */
export async function readRunFile(home: string, isAlive: (pid: number) => boolean): Promise<RunFile | null> {
  try {
    const content = runFile.parse(JSON.parse(await readFile(pathOf(home), "utf8")));
    return isAlive(content.pid) ? content : null;
  } catch {
    return null;
  }
}
