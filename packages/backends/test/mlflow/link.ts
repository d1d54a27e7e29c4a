import { once } from "node:events";
import { request as ask, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A way to a server that a test can cut. */
export interface Link {
  /** The server's address on this way. */
  readonly uri: string;
  /** Breaks all connections and refuses new ones. */
  cut(): void;
  restore(): void;
  /** Carries the next request to the server, and breaks the connection instead of carrying its answer. */
  loseNextAnswer(): void;
  close(): Promise<void>;
}

/** Opens a way of its own to the server at `uri`, which is called `host` on it; by its own name when not given. */
export async function openLink(uri: string, host = new URL(uri).host): Promise<Link> {
  let isCut = false;
  let losesAnswer = false;
  const server = createServer((near, answerNear) => {
    const { url = "", method, headers } = near;
    const far = ask(`${uri}${url}`, { method, headers: { ...headers, host }, agent: false }, (answer) => {
      if (losesAnswer) {
        losesAnswer = false;
        near.socket.destroy();
        return;
      }
      answerNear.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(answerNear);
    });
    far.on("error", () => near.socket.destroy());
    near.pipe(far);
  });
  server.on("connection", (socket) => {
    if (isCut) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      server.closeAllConnections();
    },
    restore: () => {
      isCut = false;
    },
    loseNextAnswer: () => {
      losesAnswer = true;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
