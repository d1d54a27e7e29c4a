import { createWriteStream, existsSync, mkdirSync, renameSync, statSync, type WriteStream } from "node:fs";
import { join } from "node:path";

/** The lines of every process of a tree, each in a file of its own: `<home>/logs/<name>.log`. */
export interface LogFiles {
  readonly folder: string;
  write(name: string, line: string): void;
  close(): Promise<void>;
}

/** A file that has grown beyond this becomes `<name>.log.1` at the next start, in place of the one before. */
const ROTATE_BYTES = 10 * 1024 * 1024;

export function openLogFiles(home: string): LogFiles {
  const folder = join(home, "logs");
  mkdirSync(folder, { recursive: true });
  const files = new Map<string, WriteStream>();
  const open = (name: string): WriteStream => {
    const path = join(folder, `${name}.log`);
    if (existsSync(path) && statSync(path).size > ROTATE_BYTES) renameSync(path, `${path}.1`);
    const file = createWriteStream(path, { flags: "a" });
    file.on("error", () => undefined); // A full disk must not stop the pipeline; the services say so themselves.
    files.set(name, file);
    return file;
  };
  return {
    folder,
    write: (name, line) => void (files.get(name) ?? open(name)).write(`${line}\n`),
    async close() {
      await Promise.all([...files.values()].map((file) => new Promise<void>((done) => file.end(done))));
      files.clear();
    },
  };
}
