import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hasCode } from "@flts/common/contracts/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogFile } from "../../src/embedded/log-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flts-log-file-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const codeOfOpening = (path: string): string | null => {
  try {
    openLogFile(path).close();
    return null;
  } catch (error) {
    return hasCode(error, "LOG_FORBIDDEN", "LOG_CORRUPT", "LOG_UNAVAILABLE") ? error.code : String(error);
  }
};

test("a file that is no log is refused, and left as it is", () => {
  const path = join(folder, "notes.txt");
  writeFileSync(path, "these are notes, not a log, and somebody needs them ".repeat(10));
  expect(codeOfOpening(path)).toBe("LOG_CORRUPT");
});

test("a place where no file can be is an operator's fault", () => {
  expect(codeOfOpening(folder)).toBe("LOG_FORBIDDEN");
});

test("a log of a later layout is refused", () => {
  const path = join(folder, "log.db");
  openLogFile(path).close();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 99");
  db.close();
  expect(codeOfOpening(path)).toBe("LOG_CORRUPT");
});

test("a log of the first layout is taken over", () => {
  const path = join(folder, "log.db");
  openLogFile(path).close();
  const db = new DatabaseSync(path);
  db.exec("INSERT INTO topics (topic) VALUES ('kept')");
  db.exec("ALTER TABLE topics DROP COLUMN max_message_bytes; PRAGMA user_version = 1");
  db.close();
  const file = openLogFile(path);
  const kept = file.query("SELECT topic, max_message_bytes FROM topics").first();
  expect([kept?.text("topic"), kept?.integerOrNull("max_message_bytes")]).toStrictEqual(["kept", null]);
  file.close();
});

test("a failing transaction leaves no trace", () => {
  const file = openLogFile(join(folder, "log.db"));
  const insert = file.query("INSERT INTO topics (topic) VALUES (?)");
  const fail = (): void =>
    file.transaction("durable", () => {
      insert.run("half");
      throw new Error("on purpose");
    });
  expect(fail).toThrow("on purpose");
  expect(file.query("SELECT topic FROM topics").all()).toHaveLength(0);
  file.transaction("quick", () => insert.run("whole"));
  expect(file.query("SELECT topic FROM topics").first()?.text("topic")).toBe("whole");
  file.close();
});
