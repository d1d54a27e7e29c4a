import { exitCodeOf, isHelp, lineOf } from "@flts/cli/exit-codes";
import { createProgram } from "@flts/cli/program";
import { createOutput } from "@flts/cli/terminal/output";
import { FltsError } from "@flts/common/contracts/errors";
import { expect, test } from "vitest";

/** What a command line ends with: its exit code, its line, and all that was written. */
async function run(...args: readonly string[]) {
  let out = "";
  let err = "";
  const program = createProgram({
    createOutput: (json) =>
      createOutput(
        json,
        { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } },
        {},
      ),
    untilInterrupted: () => new AbortController().signal,
    write: (text) => (out += text),
    environment: {},
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return { code: 0, line: "", out, err };
  } catch (error) {
    return { code: exitCodeOf(error), line: isHelp(error) ? "" : lineOf(error), out, err };
  }
}

test.each([
  [["demo", "--famlies", "GRU"], "unknown option '--famlies' (Did you mean --families?)"],
  [["dmo"], "unknown command 'dmo' (Did you mean demo?)"],
  [["up", "--gateway-port", "99999"], "whole number from 0 to 65535"],
  [["up", "--eval-port", "-1"], "whole number from 0 to 65535"],
  [["predict", "--horizon", "0"], "whole number from 1 to 10000"],
  [["predict", "--url", "ftp://x"], "It must be a URL such as http://localhost:8023."],
  [["seed"], "required option '--url <url>' not specified"],
  [["seed", "--url", "gateway"], "It must be a URL such as"],
  [["demo", "--dataset", ","], "Give at least one name."],
  [["demo", "--dataset", "PobleSec"], "give that with --data"],
  [["evaluate", "--stations", "PobleSec"], "give that with --data"],
  [["evaluate", "--targets", ","], "Give at least one name."],
  [["status", "more"], "too many arguments"],
  [["promote", "r"], "required option '--reason <text>' not specified"],
  [["promote", "--reason", "r"], "missing required argument 'run'"],
  [["rollback", "--reason", "r", "--to", "0"], "whole number from 1 on"],
  [["history", "--limit", "all"], "whole number from 1 on"],
  [["gate"], "required option '--dry-run <run>' not specified"],
  [["explain"], "explain takes either the id of a run or forecast, or --replay <epoch>"],
  [
    ["explain", "r", "--replay", "1"],
    "explain takes either the id of a run or forecast, or --replay <epoch>",
  ],
  [["demo", "--families", "LINEAR,TETS"], 'there is no family "TETS"; there are '],
])("%j is a fault of usage, told in one line", async (args, part) => {
  const { code, line } = await run(...args);
  expect(code).toBe(2);
  expect(line).toContain(part);
  expect(line).not.toContain("\n");
});

test("no command at all shows the help and is a fault; asking for help is none", async () => {
  expect(await run()).toMatchObject({ code: 2, line: "", out: expect.stringContaining("Usage: flts") });
  expect(await run("--help")).toMatchObject({
    code: 0,
    line: "",
    out: expect.stringContaining("Usage: flts"),
  });
});

test("a folder that is not there ends with its name and code 1", async () => {
  const { code, line } = await run("demo", "--data", "/nowhere/at/all");
  expect(code).toBe(1);
  expect(line).toContain("/nowhere/at/all");
});

test("the status of a home that does not exist says so plainly", async () => {
  const { code, out } = await run("status", "--home", "/nowhere/at/all");
  expect(code).toBe(0);
  expect(out).toContain("/nowhere/at/all does not exist: nothing was run here yet.");
});

test("with --json standard output has the object alone, and people read the error output", async () => {
  const { out, err } = await run("status", "--home", "/nowhere/at/all", "--json");
  expect(JSON.parse(out)).toEqual({ home: "/nowhere/at/all", exists: false });
  expect(err).toContain("does not exist");
});

test("a wrong configuration ends with 78, anything else with 1", () => {
  expect(exitCodeOf(new FltsError("CONFIG_INVALID", "x"))).toBe(78);
  expect(exitCodeOf(new FltsError("CSV_INVALID", "x"))).toBe(1);
  expect(exitCodeOf(new Error("x"))).toBe(1);
});
