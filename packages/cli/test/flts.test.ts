import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The command in a process of its own, which a test may interrupt or stop listening to. */
function start(...parameters: readonly string[]) {
  const child = spawn(process.execPath, ["--conditions=source", main, ...parameters], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], FLTS_PARENT: "1" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = new Promise<{ code: number | null; errors: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, errors }));
  });
  return { child, ended };
}

test("a command that is interrupted while it waits ends with code 130, and says nothing of it", async () => {
  const { child, ended } = start("seed", "--url", "http://127.0.0.1:1");
  child.stdout.once("data", () => child.kill("SIGINT")); // The first line says that it waits.
  expect(await ended).toEqual({ code: 130, errors: "" });
});

test("a command ends with the supervisor that started it, though that was killed", async () => {
  const { child, ended } = start("seed", "--url", "http://127.0.0.1:1");
  child.stdout.once("data", () => child.stdin.destroy());
  expect(await ended).toEqual({ code: 130, errors: "" });
});

test("a command whose reader has gone ends as other programs do, without a stack", async () => {
  const { child, ended } = start("--help");
  child.stdout.destroy();
  expect(await ended).toEqual({ code: 141, errors: "" });
});
