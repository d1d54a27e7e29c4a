import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogFiles } from "@flts/cli/supervisor/log-files";
import { expect, onTestFinished, test } from "vitest";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "flts-logs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("every process has a file, and a later tree appends to it", async () => {
  const home = scratch();
  for (const line of ["one", "two"]) {
    const logs = openLogFiles(home);
    logs.write("gateway", line);
    logs.write("eval", line);
    await logs.close();
  }
  expect(readFileSync(join(home, "logs/gateway.log"), "utf8")).toBe("one\ntwo\n");
  expect(readFileSync(join(home, "logs/eval.log"), "utf8")).toBe("one\ntwo\n");
});

test("a file that has grown large makes room at the next start", async () => {
  const home = scratch();
  await openLogFiles(home).close();
  writeFileSync(join(home, "logs/eval.log"), "x".repeat(10 * 1024 * 1024 + 1));
  const logs = openLogFiles(home);
  logs.write("eval", "new");
  await logs.close();
  expect(readFileSync(join(home, "logs/eval.log"), "utf8")).toBe("new\n");
  expect(readFileSync(join(home, "logs/eval.log.1"), "utf8")).toHaveLength(10 * 1024 * 1024 + 1);
});
