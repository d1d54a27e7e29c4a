import { createSpawn } from "@flts/cli/supervisor/spawn";
import { expect, test } from "vitest";

const spawn = createSpawn({ PATH: process.env["PATH"] });

test("a process gets its environment and its lines of both outputs are heard", async () => {
  const lines: string[] = [];
  const { exited } = spawn(
    { name: "echo", module: import.meta.resolve("./echo-process.ts"), environment: { GREETING: "hello" } },
    (line) => lines.push(line),
  );
  expect(await exited).toEqual({ code: 3, signal: null });
  expect(lines.toSorted()).toEqual(["hello, parent 1", "to stderr"]);
});
