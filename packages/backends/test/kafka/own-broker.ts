import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A broker of the test's own, which it may kill. */
export interface OwnBroker {
  readonly bootstrapServers: string;
  /** As `kill -9` does; its data stay. */
  crash(): Promise<void>;
  /** Resolves when it answers again. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

const script = fileURLToPath(new URL("../../../../tools/components/kafka.sh", import.meta.url));

export async function startOwnBroker(): Promise<OwnBroker> {
  const folder = await mkdtemp(join(tmpdir(), "flts-own-broker-"));
  const run = async (command: "up" | "down" | "crash"): Promise<string> => {
    const env = {
      ...process.env,
      FLTS_RUN_DIR: folder,
      FLTS_KAFKA_PORT: "0",
      FLTS_KAFKA_CONTROLLER_PORT: "0",
    };
    const { stdout } = await promisify(execFile)(script, [command], { env });
    return stdout;
  };
  const bootstrapServers = /KAFKA_BOOTSTRAP_SERVERS=(\S+)/.exec(await run("up"))?.[1] ?? "";
  return {
    bootstrapServers,
    crash: async () => void (await run("crash")),
    restart: async () => void (await run("up")),
    remove: async () => {
      await run("down");
      await rm(folder, { recursive: true });
    },
  };
}
