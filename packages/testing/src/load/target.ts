import type { Reply } from "./connection.ts";

/** Whom a generator asks, and what. */
export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  /** Whole requests, head and body, sent in turn. */
  readonly requests: readonly Uint8Array[];
  /** Looks at every answer, with the number of its request. */
  readonly onReply?: (reply: Reply, request: number) => void;
}

/** The bytes of a JSON request, made once so that sending it costs nothing. */
export function postRequest(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Uint8Array {
  const bytes = Buffer.from(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    "host: localhost",
    "content-type: application/json",
    `content-length: ${bytes.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), bytes]);
}
