import { createServer } from "node:net";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";

/** An address that a service is to listen on. */
export interface WantedPort {
  /** Who wants it, for the message. */
  readonly service: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The option that changes it. */
  readonly option: string;
}

/** The services of a tree that was killed may still be ending, and hold their ports until they have. */
const PATIENCE_MS = 3_000;
const POLL_MS = 100;

/** Resolves when every port can be listened on. @throws INPUT_MISSING naming the port that cannot, and the option that changes it */
export async function checkPorts(wanted: readonly WantedPort[], host: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonicMs() + PATIENCE_MS;
  for (const { service, port, option } of wanted.filter((one) => one.port !== 0)) {
    for (;;) {
      const fault = await listeningFault(port, host);
      if (fault === null) break;
      if (fault !== "EADDRINUSE" || clock.monotonicMs() >= deadline)
        throw new FltsError(
          "INPUT_MISSING",
          fault === "EADDRINUSE"
            ? `port ${port}, which ${service} is to listen on, is taken: end what holds it, or choose another with ${option} (0 takes any free one)`
            : `${service} cannot listen on ${host}:${port} (${fault}): choose another port with ${option}`,
        );
      await clock.sleep(POLL_MS);
    }
  }
}

/** The code of the error that listening ends in, or null when it works. */
function listeningFault(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}
