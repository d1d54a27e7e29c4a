import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Peer } from "./peer.ts";

export interface RunningPeer {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 200;
const STOP_TIMEOUT_MS = 15_000;

/** The versions of a peer's packages; null when it is not installed. */
export function versionsOf({ packages, python }: Peer): Readonly<Record<string, string>> | null {
  const program = process.env[python] ?? "";
  if (program === "") return null;
  const script =
    "import sys, json, importlib.metadata as m; print(json.dumps({p: m.version(p) for p in sys.argv[1:]}))";
  try {
    const output = execFileSync(program, ["-c", script, ...packages], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    return JSON.parse(output.toString()) as Record<string, string>;
  } catch {
    return null;
  }
}

/** Starts a peer and resolves when it is ready. What it prints goes to standard error. */
export async function startPeer(peer: Peer, model: string, folder: string): Promise<RunningPeer> {
  const port = await freePort();
  const program = process.env[peer.python] ?? "";
  const source = join(import.meta.dirname, "python");
  const child = spawn(program, peer.start({ port, model, folder: join(folder, peer.name) }), {
    cwd: source,
    stdio: ["ignore", process.stderr, process.stderr],
    // A group of its own: some peers start processes that outlive a signal to their parent.
    detached: true,
    env: {
      ...process.env,
      PATH: `${join(program, "..")}:${process.env["PATH"] ?? ""}`,
      PYTHONPATH: source,
      PYTHONDONTWRITEBYTECODE: "1",
      PEER_MODEL: model,
      OMP_NUM_THREADS: "1",
      BENTOML_DO_NOT_TRACK: "true",
      MLFLOW_DISABLE_TELEMETRY: "true",
    },
  });
  try {
    await untilReady(`http://${HOST}:${port}${peer.readyPath}`, child);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { host: HOST, port, stop: () => stop(child) };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${url} does not answer`);
}

/** Asked politely first: BentoML's processes are in groups of their own, and only it can end them. */
function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const group = -(child.pid ?? 0);
    const patience = setTimeout(() => process.kill(group, "SIGKILL"), STOP_TIMEOUT_MS);
    child.once("close", () => {
      clearTimeout(patience);
      resolve();
    });
    process.kill(group, "SIGTERM");
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, HOST, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
