import { inspect } from "node:util";
import pino, { type DestinationStream } from "pino";
import { codeOf, FltsError } from "../contracts/errors.ts";
import type { LogEvent } from "./log-events.ts";

/** JSON lines for operators: one object a line with `service`, `level`, `ts`, `event`, and ids as fields. */
export interface Logger {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  /** The line carries the error's code, its stack, and the chain of its causes. */
  error(event: LogEvent, error: unknown, fields?: LogFields): void;
  /** The same logger with fields on every line. */
  with(fields: LogFields): Logger;
}

/** Undefined and null fields are left out of the line. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LoggerOptions {
  readonly service: string;
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Lines for people instead of JSON. */
  readonly pretty: boolean;
  readonly destination?: DestinationStream;
}

export function createLogger({ service, level, pretty, destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  if (pretty)
    options.transport = {
      target: "pino-pretty",
      options: { messageKey: "event", timestampKey: "ts", ignore: "service", singleLine: true },
    };
  return wrap(pretty ? pino(options) : pino(options, destination ?? pino.destination({ fd: 1, sync: true })));
}

function wrap(sink: pino.Logger): Logger {
  return {
    info: (event, fields) => sink.info(line(event, fields)),
    warn: (event, fields) => sink.warn(line(event, fields)),
    error: (event, error, fields) => sink.error(line(event, { ...describeError(error), ...fields })),
    with: (fields) => wrap(sink.child(compact(fields))),
  };
}

const line = (event: LogEvent, fields: LogFields = {}): object => ({ event, ...compact(fields) });

function compact(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Code, kind, message, stack and causes of an error, as fields of a log line. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { code: "UNCLASSIFIED", error: String(error) };
  return {
    code: codeOf(error),
    kind: error instanceof FltsError ? error.kind : undefined,
    error: error.message,
    stack: error.stack,
    causes: causesOf(error),
  };
}

function causesOf(error: Error): string[] | undefined {
  const causes: string[] = [];
  for (let { cause } = error; cause !== undefined && causes.length < 8; ) {
    causes.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : inspect(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes.length > 0 ? causes : undefined;
}
