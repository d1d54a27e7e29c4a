import { spawn } from "node:child_process";

/** kubectl and helm on the cluster that KUBECONFIG names, in the namespace of the manifests. */
export const namespace = "flts";

interface Options {
  readonly input?: string;
}

/** @returns what it printed; @throws with what it complained of */
export const kubectl = (parameters: readonly string[], options: Options = {}): Promise<string> =>
  run("kubectl", ["--namespace", namespace, ...parameters], options);

export const helm = (parameters: readonly string[], options: Options = {}): Promise<string> =>
  run("helm", ["--namespace", namespace, ...parameters], options);

/** An object, or the items of a list. */
export async function get<Found>(...parameters: readonly string[]): Promise<Found> {
  return JSON.parse(await kubectl(["get", ...parameters, "--output=json"])) as Found;
}

export async function list<Item>(...parameters: readonly string[]): Promise<readonly Item[]> {
  return (await get<{ readonly items: readonly Item[] }>(...parameters)).items;
}

/** Ends a pod as a machine that fails does: at once, without a signal that it could hear. */
export const kill = (...pods: readonly string[]): Promise<string> =>
  kubectl(["delete", "pod", ...pods, "--grace-period=0", "--force", "--wait=false"]);

export function run(
  program: string,
  parameters: readonly string[],
  { input }: Options = {},
): Promise<string> {
  const child = spawn(program, parameters, {
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const output = { out: "", error: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    output.out += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    output.error += chunk;
  });
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output.out);
      else
        reject(
          new Error(
            `${program} ${parameters.join(" ")}: ${(output.error || output.out).trim() || `code ${code}`}`,
          ),
        );
    });
  });
}
