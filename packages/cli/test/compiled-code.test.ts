import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const script = fileURLToPath(new URL("./compiling-process.ts", import.meta.url));

/** Runs the script with a folder for compiled code; what it says is the folder that processes it starts would use. */
function compile(folder: string, environment: NodeJS.ProcessEnv = {}): unknown {
  const { PATH } = process.env;
  const env = { PATH, ...environment };
  const { stdout } = spawnSync(process.execPath, ["--conditions=source", script, folder], { env });
  return JSON.parse(stdout.toString());
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "flts-compiled-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("compiled code is shared before the process has ended, with those it starts", () => {
  const folder = join(temporaryFolder(), "compiled");
  expect(compile(folder)).toBe(folder);
  expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(2);
});

test("a folder that the environment names is used instead", () => {
  const folder = temporaryFolder();
  const named = join(folder, "named");
  expect(compile(join(folder, "compiled"), { NODE_COMPILE_CACHE: named })).toBe(named);
  expect(existsSync(join(folder, "compiled"))).toBe(false);
});

test("where nothing can be kept, nothing is, and the program runs", () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(compile(join(file, "compiled"))).toBeNull();
  expect(compile(file, { NODE_DISABLE_COMPILE_CACHE: "1" })).toBeNull();
});
