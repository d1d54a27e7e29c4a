import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { numberField, parseLogLine } from "@flts/cli/supervisor/log-line";
import { expect, onTestFinished, test } from "vitest";

test("a service ends by itself when its supervisor is killed", async () => {
  const script = fileURLToPath(new URL("./parent-process.ts", import.meta.url));
  const parent = spawn(process.execPath, ["--conditions=source", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  for await (const text of createInterface({ input: parent.stdout })) {
    const line = parseLogLine(text);
    if (line?.event !== "service_ready") continue;
    const pid = numberField(line, "pid") ?? 0;
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
    return;
  }
  expect.unreachable("the service was never ready");
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
