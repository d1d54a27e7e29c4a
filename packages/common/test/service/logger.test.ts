import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { createLogger, type Logger, type LoggerOptions } from "../../src/service/logger.ts";

function capture(level: LoggerOptions["level"] = "info"): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (text: string) => void lines.push(readLine(text)) };
  return { log: createLogger({ service: "train", level, pretty: false, destination }), lines };
}

test("a line is one JSON object with service, level, time, event and ids", () => {
  const { log, lines } = capture();
  log.info("train_start", { run_id: "7", partition: 2 });
  expect(lines).toEqual([
    {
      level: "info",
      ts: expect.any(String),
      service: "train",
      event: "train_start",
      run_id: "7",
      partition: 2,
    },
  ]);
  expect(new Date(String(lines[0]?.["ts"])).toISOString()).toBe(lines[0]?.["ts"]);
});

test("null and undefined fields are left out", () => {
  const { log, lines } = capture();
  log.with({ round: null }).warn("promotion_conflict", { a: undefined, b: null, c: 0, d: "", e: false });
  expect(lines).toEqual([
    {
      level: "warn",
      ts: expect.any(String),
      service: "train",
      event: "promotion_conflict",
      c: 0,
      d: "",
      e: false,
    },
  ]);
});

test("ids are said once and are on every line after", () => {
  const { log, lines } = capture();
  const child = log.with({ round: "r" }).with({ work_key: "w" });
  child.info("train_start");
  log.info("service_ready");
  expect(lines[0]).toMatchObject({ round: "r", work_key: "w" });
  expect(lines[1]).not.toHaveProperty("round");
});

test("an error line has code, kind, stack and the chain of its causes", () => {
  const { log, lines } = capture();
  const cause = new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") });
  log.error("message_held", new FltsError("STORE_UNAVAILABLE", "no answer", cause), { attempt: 2 });
  expect(lines[0]).toMatchObject({
    level: "error",
    event: "message_held",
    code: "STORE_UNAVAILABLE",
    kind: "retryable",
    error: "no answer",
    stack: expect.stringContaining("logger.test.ts"),
    causes: ["TypeError: fetch failed", "Error: ECONNREFUSED"],
    attempt: 2,
  });
});

const cyclic: Record<string, unknown> = { name: "cyclic" };
cyclic["self"] = cyclic;
const ownCause = new Error("own cause");
ownCause.cause = ownCause;

test.each([
  ["text", "text", { code: "UNCLASSIFIED", error: "text" }],
  ["undefined", undefined, { code: "UNCLASSIFIED", error: "undefined" }],
  ["a bug", new TypeError("bug"), { code: "UNCLASSIFIED", error: "bug" }],
  ["a cause that is no error", new Error("e", { cause: { status: 503 } }), { causes: ["{ status: 503 }"] }],
  ["a cause that JSON has no words for", new Error("e", { cause: 7n }), { causes: ["7n"] }],
  [
    "a cause that contains itself",
    new Error("e", { cause: cyclic }),
    { causes: [expect.stringContaining("cyclic")] },
  ],
  ["an error that causes itself", ownCause, { causes: Array<string>(8).fill("Error: own cause") }],
])("%s can be thrown and still makes a line", (_name, error, expected) => {
  const { log, lines } = capture();
  log.error("service_crash", error);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject(expected);
});

test("a field that JSON has no words for does not cost the line", () => {
  const { log, lines } = capture();
  log.info("service_ready", { offset: 2n ** 60n, cyclic });
  expect(lines).toMatchObject([{ event: "service_ready" }]);
});

test("a line break in a field does not break the line", () => {
  const { log, lines } = capture();
  log.info("upload_refused", { key: "a\nb\u2028c" });
  expect(lines).toMatchObject([{ key: "a\nb\u2028c" }]);
});

test("below its level nothing is written, and silent writes nothing at all", () => {
  const warn = capture("warn");
  warn.log.info("service_ready");
  warn.log.warn("promotion_conflict");
  expect(warn.lines.map(({ event }) => event)).toEqual(["promotion_conflict"]);
  const silent = capture("silent");
  silent.log.error("service_crash", new Error("x"));
  expect(silent.lines).toEqual([]);
});

function readLine(text: string): Record<string, unknown> {
  expect(text.endsWith("\n")).toBe(true);
  expect(text.trimEnd()).not.toContain("\n");
  return JSON.parse(text) as Record<string, unknown>;
}
