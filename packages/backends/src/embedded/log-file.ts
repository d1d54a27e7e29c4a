import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { FltsError } from "@flts/common/contracts/errors";

/** The one SQLite file of the embedded log. Errors are the log's: LOG_UNAVAILABLE, LOG_FORBIDDEN, LOG_CORRUPT. */
export interface LogFile {
  query(sql: string): Query;
  /**
   * Runs `body` in one write transaction. `durable` survives a power failure once it returns; `quick` survives the death of
   * every process, which is enough for beats and ownership: after a power failure nobody owns anything.
   */
  transaction<Result>(durability: "durable" | "quick", body: () => Result): Result;
  /** Changes whenever another connection has committed something. */
  dataVersion(): number;
  /** Gives the space of deleted records back to the file system. */
  shrink(): void;
  close(): void;
}

export interface Query {
  all(...values: readonly SQLInputValue[]): readonly Row[];
  first(...values: readonly SQLInputValue[]): Row | null;
  /** @returns how many records were changed */
  run(...values: readonly SQLInputValue[]): number;
}

/** A record, each column of which is read as what it must be. @throws LOG_CORRUPT when it is something else */
export interface Row {
  integer(column: string): number;
  integerOrNull(column: string): number | null;
  text(column: string): string;
  textOrNull(column: string): string | null;
  bytes(column: string): Uint8Array;
}

const layoutVersion = 2;

const layout = `
  CREATE TABLE topics (
    topic TEXT PRIMARY KEY,
    retention_ms INTEGER,
    max_message_bytes INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE partitions (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL DEFAULT 0,
    size_bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE messages (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    key TEXT,
    headers TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (topic, partition, offset)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE members (
    member TEXT PRIMARY KEY,
    "group" TEXT NOT NULL,
    topics TEXT NOT NULL,
    process TEXT NOT NULL,
    beat INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE assignments (
    "group" TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    committed INTEGER,
    owner TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY ("group", topic, partition)
  ) STRICT, WITHOUT ROWID;
  -- Counts the changes of members, assignments and topics, so that a look at one number tells whether to look further.
  CREATE TABLE membership (version INTEGER NOT NULL) STRICT;
  INSERT INTO membership VALUES (0);
  PRAGMA user_version = ${layoutVersion};
`;

/** From layout 1, whose topics had no limits of their own. */
const upgrade = `
  ALTER TABLE topics ADD COLUMN max_message_bytes INTEGER;
  PRAGMA user_version = ${layoutVersion};
`;

/** Waits for other processes' transactions, which take milliseconds. */
const busyTimeoutMs = 5000;

/** Opens the file, and lays it out when it is new. @throws LOG_FORBIDDEN, LOG_CORRUPT, LOG_UNAVAILABLE */
export function openLogFile(path: string): LogFile {
  const inLogTerms = <Result>(operation: () => Result): Result => {
    try {
      return operation();
    } catch (error) {
      throw logError(path, error);
    }
  };
  const db = inLogTerms(() => new DatabaseSync(path, { timeout: busyTimeoutMs }));
  const execute = (sql: string): void => inLogTerms(() => db.exec(sql));
  const queryOf = (statement: StatementSync): Query => ({
    all: (...values) => inLogTerms(() => statement.all(...values)).map((record) => rowOf(path, record)),
    first: (...values) => {
      const record = inLogTerms(() => statement.get(...values));
      return record === undefined ? null : rowOf(path, record);
    },
    run: (...values) => Number(inLogTerms(() => statement.run(...values)).changes),
  });
  let durable = false;

  const file: LogFile = {
    query: (sql) => queryOf(inLogTerms(() => db.prepare(sql))),
    transaction: (durability, body) => {
      if (durable !== (durability === "durable")) {
        durable = durability === "durable";
        execute(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
      }
      execute("BEGIN IMMEDIATE");
      try {
        const result = body();
        execute("COMMIT");
        return result;
      } catch (error) {
        if (db.isTransaction) execute("ROLLBACK");
        throw error;
      }
    },
    dataVersion: () => dataVersion.first()?.integer("data_version") ?? 0,
    shrink: () => execute("PRAGMA incremental_vacuum"),
    close: () => inLogTerms(() => db.close()),
  };

  // Space given back bit by bit must be asked for before the first table is made.
  execute("PRAGMA auto_vacuum = INCREMENTAL");
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = NORMAL");
  const dataVersion = file.query("PRAGMA data_version");
  const userVersion = file.query("PRAGMA user_version");
  file.transaction("durable", () => {
    const version = userVersion.first()?.integer("user_version") ?? 0;
    if (version === 0) execute(layout);
    else if (version === 1) execute(upgrade);
    else if (version !== layoutVersion) {
      const text = `The log ${path} has layout ${version}, this version of FLTS knows ${layoutVersion}: use the version that wrote it`;
      throw new FltsError("LOG_CORRUPT", text);
    }
  });
  return file;
}

function rowOf(path: string, record: Readonly<Record<string, SQLOutputValue>>): Row {
  const wrong = (column: string): FltsError =>
    new FltsError("LOG_CORRUPT", `Column ${column} of the log ${path} holds something else than it should`);
  const row: Row = {
    integer: (column) => {
      const value = record[column];
      if (typeof value !== "number") throw wrong(column);
      return value;
    },
    integerOrNull: (column) => (record[column] === null ? null : row.integer(column)),
    text: (column) => {
      const value = record[column];
      if (typeof value !== "string") throw wrong(column);
      return value;
    },
    textOrNull: (column) => (record[column] === null ? null : row.text(column)),
    bytes: (column) => {
      const value = record[column];
      if (!(value instanceof Uint8Array)) throw wrong(column);
      return value;
    },
  };
  return row;
}

/** Result codes of https://www.sqlite.org/rescode.html: which of them an operator must mend. */
const forbidden: readonly number[] = [3, 8, 14, 23]; // PERM, READONLY, CANTOPEN, AUTH
const corrupt: readonly number[] = [11, 26]; // CORRUPT, NOTADB

function logError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  const code = error.errcode & 0xff;
  if (forbidden.includes(code)) {
    const text = `The log ${path} cannot be opened or written: check the folder's owner and mode (${error.message})`;
    return new FltsError("LOG_FORBIDDEN", text, error);
  }
  if (corrupt.includes(code)) {
    const text = `The log ${path} is damaged or not a log: move it away or restore it (${error.message})`;
    return new FltsError("LOG_CORRUPT", text, error);
  }
  return new FltsError("LOG_UNAVAILABLE", `The log ${path} failed: ${error.message}`, error);
}
