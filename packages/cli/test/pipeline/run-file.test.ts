import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRunFile, removeRunFile, writeRunFile } from "@flts/cli/pipeline/run-file";
import { expect, onTestFinished, test } from "vitest";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "flts-run-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const content = {
  pid: 42,
  endpoints: [{ name: "gateway", pid: 43, url: "http://127.0.0.1:8000", metricsUrl: null }],
};

test("what runs is told while its process lives", async () => {
  const home = scratch();
  await writeRunFile(home, content);
  expect(await readRunFile(home, (pid) => pid === 42)).toEqual(content);
  expect(await readRunFile(home, () => false)).toBeNull();
});

test("nothing runs where no file is, or one that cannot be read", async () => {
  const home = scratch();
  expect(await readRunFile(home, () => true)).toBeNull();
  await writeRunFile(home, content);
  writeFileSync(join(home, "run/up.json"), "{");
  expect(await readRunFile(home, () => true)).toBeNull();
  await removeRunFile(home);
  await removeRunFile(home);
});
