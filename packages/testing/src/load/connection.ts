import { connect, type Socket } from "node:net";

/** What came back for one request; `status` 0 means that no whole answer came. */
export interface Reply {
  readonly status: number;
  /** Head and body as they came; valid until the callback returns. */
  readonly bytes: Buffer;
}

/**
 * One kept-alive HTTP/1.1 connection that costs the generator as little as it can: requests are bytes made beforehand, answers are looked at and not parsed.
 * It has one request under way at a time, and connects again after a fault.
 */
export interface Connection {
  /** Connects before the first exchange would. Resolves when it is there, or cannot be had. */
  open(): Promise<void>;
  /** Sends a request's bytes and calls back when its answer is whole. Not before the last one's was called. */
  exchange(request: Uint8Array, onReply: (reply: Reply) => void): void;
  close(): void;
}

const EMPTY: Buffer = Buffer.alloc(0);
const HEAD_END = "\r\n\r\n";
const LENGTH = "content-length: ";
/** `HTTP/1.1 ` stands before the status. */
const STATUS_AT = 9;
const READ_BYTES = 64 * 1024;

export function openConnection(host: string, port: number): Connection {
  let socket: Socket | null = null;
  let waiting: ((reply: Reply) => void) | null = null;
  let received = EMPTY;

  function answer(reply: Reply): void {
    const onReply = waiting;
    waiting = null;
    received = EMPTY;
    onReply?.(reply);
  }

  function take(chunk: Buffer): void {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const length = lengthOf(received);
    if (length !== null && received.length >= length) answer({ status: statusOf(received), bytes: received });
    else if (received === chunk) received = Buffer.from(chunk);
  }

  function dial(): Socket {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const onread = { buffer, callback: (size: number) => (take(buffer.subarray(0, size)), true) };
    const dialled = connect({ host, port, noDelay: true, onread });
    const lost = (): void => {
      if (socket !== dialled) return;
      socket = null;
      dialled.destroy();
      answer({ status: 0, bytes: EMPTY });
    };
    return dialled.on("error", lost).on("end", lost).on("close", lost);
  }

  return {
    open: () =>
      new Promise((resolve) => {
        socket ??= dial();
        socket.once("connect", resolve).once("close", resolve);
      }),
    exchange(request, onReply) {
      waiting = onReply;
      socket ??= dial();
      socket.write(request);
    },
    close() {
      const open = socket;
      socket = null;
      open?.destroy();
    },
  };
}

/** Bytes of the whole answer; null before its head is there. Our services say the length of every body. */
function lengthOf(bytes: Buffer): number | null {
  const head = bytes.indexOf(HEAD_END);
  if (head < 0) return null;
  const at = bytes.indexOf(LENGTH);
  if (at < 0 || at > head) return head + HEAD_END.length;
  return head + HEAD_END.length + numberAt(bytes, at + LENGTH.length);
}

const statusOf = (bytes: Buffer): number => numberAt(bytes, STATUS_AT);

/** The decimal number at `at`. */
function numberAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let index = at; ; index++) {
    const digit = (bytes[index] ?? 0) - 48;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}
