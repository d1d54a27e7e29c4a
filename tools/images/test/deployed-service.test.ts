import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../../deploy/helm.ts";
import { layCode } from "../lay-code.ts";
import { fits, type Left, prune } from "../prune.ts";

/** What the Dockerfile does without a daemon: a service deployed, pruned and started as its image starts it. It needs `dist`: `tsc -b`. */
describe.each(["gateway", "inference"])("%s as it lies in its image", (service) => {
  let folder: string;
  let left: Left;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), `flts-image-${service}-`));
    const deployed = spawnSync(
      "pnpm",
      [`--filter=@flts/${service}`, "--prod", "--offline", "deploy", "--legacy", join(folder, "app")],
      { cwd: repository, encoding: "utf8" },
    );
    if (deployed.status !== 0) throw new Error(`${deployed.stdout}${deployed.stderr}`);
    left = prune(join(folder, "app"), `linux/${process.arch}`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is no larger than promised", () => {
    console.log(JSON.stringify({ service, ...left }));
    expect(left.bytes).toBeGreaterThan(1024 ** 2);
    expect(fits(left)).toBe(true);
  });

  test("has the same code when it is laid above the dependencies, as the image does", () => {
    const laid = join(folder, "laid");
    layCode(repository, service, join(folder, "app"), laid);
    expect(codeIn(laid)).toEqual(codeIn(join(folder, "app")));
  });

  test("starts, answers its probe, and ends with code 0 when it is told to", async () => {
    const child = spawn(process.execPath, ["dist/main.js"], {
      cwd: join(folder, "app"),
      env: { FLTS_HOME: join(folder, "home"), HOST: "127.0.0.1", PORT: "0", METRICS_PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    let probe: Response | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const { event, metricsPort } = JSON.parse(line) as { event: string; metricsPort?: number };
      if (event !== "service_ready") continue;
      probe = await fetch(`http://127.0.0.1:${metricsPort}/healthz`);
      child.kill("SIGTERM");
    }
    expect(probe?.status).toBe(200);
    expect(await ended).toEqual([0, null]);
  });
});

/** Files of our own `dist` folders, below a service. */
const codeIn = (folder: string): readonly string[] =>
  globSync("{dist,node_modules/.pnpm/@flts*/node_modules/@flts/*/dist}/**/*.js*", { cwd: folder }).toSorted();
