import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** One service in a process of its own, as its container runs it: settings in the environment, JSON lines out, SIGTERM to end it. */
export interface ServiceProcess {
  readonly name: string;
  /** Fields of its `service_ready` line; rejects with its last lines when it ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
  /** Every line it wrote so far. */
  readonly lines: readonly string[];
  stop(): void;
}

/** @param folder the service's folder below `services` */
export function startService(
  name: string,
  folder: string,
  environment: Readonly<Record<string, string>>,
): ServiceProcess {
  const child = spawn(process.execPath, ["--conditions=source", `services/${folder}/src/main.ts`], {
    // The pipe ends it when the tests are killed.
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, FLTS_PARENT: "1", ...environment },
  });
  const lines: string[] = [];
  const ready = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  // A service that ends before it is ready, or a job that nobody waits for, is no unhandled error.
  ready.promise.catch(() => undefined);
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    if (line.includes('"service_ready"')) ready.resolve(JSON.parse(line) as Record<string, unknown>);
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => {
      ready.reject(new Error(`${name} ended with ${code ?? signal}:\n${lines.slice(-20).join("\n")}`));
      resolve(code ?? signal);
    });
  });
  return { name, ready: ready.promise, ended, lines, stop: () => void child.kill("SIGTERM") };
}
