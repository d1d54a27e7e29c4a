import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { namespace } from "./kubectl.ts";

/** A port of a pod, or of one pod of a Service, on this machine. */
export interface Forwarded {
  readonly url: string;
  close(): void;
}

/** @param target such as `service/eval` or `pod/inference-abc` */
export async function forward(target: string, port: number): Promise<Forwarded> {
  const child = spawn("kubectl", ["--namespace", namespace, "port-forward", target, `:${port}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    complaint += chunk;
  });
  const local = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, found] = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once("close", () => reject(new Error(`${target}: ${complaint.trim()}`)));
  });
  return { url: `http://127.0.0.1:${local}`, close: () => void child.kill("SIGTERM") };
}

/** Does something with a port while it is forwarded. */
export async function through<Result>(
  target: string,
  port: number,
  act: (url: string) => Promise<Result>,
): Promise<Result> {
  const { url, close } = await forward(target, port);
  try {
    return await act(url);
  } finally {
    close();
  }
}
