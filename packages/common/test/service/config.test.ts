import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig, setting } from "../../src/service/config.ts";

const folder = mkdtempSync(join(tmpdir(), "flts-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shape = {
  TOPIC: setting.text("training-data"),
  RETRIES: setting.int(3, { min: 1, max: 100 }),
  RATE: setting.number(0.5, { min: 0, max: 1 }),
  FORCE: setting.flag(false),
  GATE: setting.choice(["strict", "off"], "strict"),
  TARGETS: setting.list(["down"]),
  PORT: setting.port(8000),
};

test("what is not set has its default, and an empty value counts as not set", () => {
  const defaults = {
    TOPIC: "training-data",
    RETRIES: 3,
    RATE: 0.5,
    FORCE: false,
    GATE: "strict",
    TARGETS: ["down"],
    PORT: 8000,
  };
  expect(loadConfig(shape, {})).toEqual(defaults);
  expect(loadConfig(shape, Object.fromEntries(Object.keys(shape).map((name) => [name, ""])))).toEqual(
    defaults,
  );
});

test("what is set is read as what it is", () => {
  const environment = {
    TOPIC: "t",
    RETRIES: "7",
    RATE: "1e-3",
    FORCE: "Yes",
    GATE: "off",
    TARGETS: " down, up ,,",
    PORT: "0",
    UNRELATED: "ignored",
  };
  expect(loadConfig(shape, environment)).toEqual({
    TOPIC: "t",
    RETRIES: 7,
    RATE: 0.001,
    FORCE: true,
    GATE: "off",
    TARGETS: ["down", "up"],
    PORT: 0,
  });
});

test.each(["1", "true", "TRUE", "yes", "on", "On"])("%s is true", (text) => {
  expect(loadConfig({ FORCE: setting.flag(false) }, { FORCE: text }).FORCE).toBe(true);
});

test.each(["0", "false", "no", "OFF"])("%s is false", (text) => {
  expect(loadConfig({ FORCE: setting.flag(true) }, { FORCE: text }).FORCE).toBe(false);
});

test("every fault is listed at once: variable, value, and what is expected", () => {
  const environment = { RETRIES: "0", RATE: "fast", FORCE: "maybe", GATE: "loose", PORT: "65536" };
  const faults = faultsOf(() => loadConfig({ ...shape, NEEDED: setting.text("").unwrap() }, environment));
  expect(faults).toMatchObject({ code: "CONFIG_INVALID" });
  expect(faults.message).toMatch(/^configuration has 6 fault\(s\): /);
  for (const fault of [
    'RETRIES = "0": must be at least 1',
    'RATE = "fast": must be a number',
    'FORCE = "maybe": ',
    'GATE = "loose": must be one of strict, off',
    'PORT = "65536": must be at most 65535',
    "NEEDED is not set: ",
  ])
    expect(faults.message).toContain(fault);
});

test.each(["1.5", "1e3", "0x10", "ten", " 7", "99999999999999999999"])("%j is no whole number", (text) => {
  expect(() => loadConfig({ N: setting.int(1) }, { N: text })).toThrow(/N = /);
});

test.each(["NaN", "Infinity", " ", "1,5"])("%j is no number", (text) => {
  expect(() => loadConfig({ N: setting.number(1) }, { N: text })).toThrow(/N = /);
});

test("a huge value is shown by its beginning", () => {
  const { message } = faultsOf(() => loadConfig({ N: setting.int(1) }, { N: "x".repeat(100_000) }));
  expect(message.length).toBeLessThan(300);
});

const TOKEN = { TOKEN: setting.text("") };
const secret = join(folder, "token");
writeFileSync(secret, "s3cret\n");

test("a secret may lie in a file, without the line feed at its end", () => {
  expect(loadConfig(TOKEN, { TOKEN_FILE: secret }, ["TOKEN"])).toEqual({ TOKEN: "s3cret" });
});

test("a secret given directly wins over the file, which is not even opened", () => {
  const environment = { TOKEN: "direct", TOKEN_FILE: join(folder, "absent") };
  expect(loadConfig(TOKEN, environment, ["TOKEN"])).toEqual({ TOKEN: "direct" });
});

test("only what is named a secret is read from files", () => {
  expect(loadConfig(TOKEN, { TOKEN_FILE: secret })).toEqual({ TOKEN: "" });
});

test("a secret's file that cannot be read is one fault among the others", () => {
  const environment = { TOKEN_FILE: join(folder, "absent"), RETRIES: "0" };
  const { message } = faultsOf(() => loadConfig({ ...TOKEN, ...shape }, environment, ["TOKEN"]));
  expect(message).toMatch(/2 fault\(s\): TOKEN_FILE=.*absent: ENOENT.*; RETRIES = "0"/);
});

test("a faulty secret is not shown", () => {
  const pin = { PIN: setting.int(0) };
  expect(faultsOf(() => loadConfig(pin, { PIN: "hunter2" }, ["PIN"])).message).toMatch(/PIN = \(hidden\): /);
  expect(faultsOf(() => loadConfig(pin, { PIN_FILE: secret }, ["PIN"])).message).not.toMatch(/s3cret/);
});

function faultsOf(load: () => unknown): Error {
  try {
    load();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("no fault was found");
}
