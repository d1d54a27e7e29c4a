import { FltsError } from "@flts/common/contracts/errors";
import { kafkaError } from "./errors.ts";

interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** A client that is connected when it is first needed, and made anew after it has failed. */
export interface LazyClient<Client> {
  /**
   * Runs one piece of work after the other: kafkajs's clients keep state between requests that work side by side would mix up.
   * @throws what `kafkaError` makes of a failure
   */
  use<Result>(doing: string, work: (client: Client) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export function createLazyClient<Client extends Connectable>(make: () => Client): LazyClient<Client> {
  let connected: Client | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new FltsError("LOG_UNAVAILABLE", "The log is closed");
  };
  const connect = async (): Promise<Client> => {
    const client = make();
    try {
      await client.connect();
      assertOpen(); // Closed meanwhile: nobody would disconnect it.
    } catch (error) {
      await disconnect(client);
      throw error;
    }
    return client;
  };
  const attempt = async <Result>(
    doing: string,
    work: (client: Client) => Promise<Result>,
  ): Promise<Result> => {
    try {
      assertOpen();
      connected ??= await connect();
      return await work(connected);
    } catch (error) {
      // Our own refusals say nothing against the client.
      if (!(error instanceof FltsError)) await drop();
      throw kafkaError(error, doing);
    }
  };
  const drop = async (): Promise<void> => {
    const client = connected;
    connected = null;
    if (client) await disconnect(client);
  };

  return {
    use: (doing, work) => {
      const result = last.then(() => attempt(doing, work));
      last = result.catch(() => null);
      return result;
    },
    close: async () => {
      closed = true;
      await drop();
    },
  };
}

/** A broker that does not answer would keep its client for the time of a request. */
const disconnectMs = 1500;

/** Disconnects, and leaves behind what cannot be had in time. */
export async function disconnect(client: Pick<Connectable, "disconnect">): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, disconnectMs);
  });
  await Promise.race([client.disconnect().catch(() => {}), timeout]);
  clearTimeout(timer);
}
