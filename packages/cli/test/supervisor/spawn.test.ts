import { createSpawn } from "@flts/cli/supervisor/spawn";
import { expect, test } from "vitest";

const spawn = createSpawn({ PATH: process.env["PATH"], NODE_OPTIONS: "--no-warnings" });
const echo = {
  name: "echo",
  module: import.meta.resolve("./echo-process.ts"),
  environment: { GREETING: "hello" },
};

test("a process gets its environment and its lines of both outputs are heard", async () => {
  const lines: string[] = [];
  const { exited } = spawn(echo, (line) => lines.push(line));
  expect(await exited).toEqual({ code: 3, signal: null });
  expect(lines.toSorted()).toEqual(["hello, parent 1, --no-warnings", "to stderr"]);
});

test("its own options of Node stand before those that the user gave, which win", async () => {
  const lines: string[] = [];
  await spawn({ ...echo, nodeOptions: "--max-semi-space-size=4" }, (line) => lines.push(line)).exited;
  expect(lines).toContain("hello, parent 1, --max-semi-space-size=4 --no-warnings");
});
