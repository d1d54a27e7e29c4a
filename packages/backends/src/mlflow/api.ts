import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { z } from "zod";
import type { MlflowAddress } from "./address.ts";
import { faultOf, type Refusal, refusalOf } from "./faults.ts";
import { createTurns } from "./turns.ts";

/** A request to one of MLflow's methods, such as `runs/get`. */
export interface MlflowCall {
  readonly verb: "GET" | "POST" | "DELETE";
  readonly method: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The run that it asks for: when MLflow has none, the fault is RUN_MISSING. */
  readonly runId?: string;
  /** What makes something anew each time is not tried again by itself. */
  readonly once?: boolean;
  /** Does not wait for its turn, as behind calls that hang. */
  readonly atOnce?: boolean;
  readonly timeoutMs?: number;
}

/**
 * MLflow's REST API. It is not opened: each request finds the server, or throws.
 * @throws TRACKER_UNAVAILABLE, TRACKER_FORBIDDEN, TRACKER_REJECTED, RUN_MISSING
 */
export interface MlflowApi {
  call<Schema extends z.ZodType>(call: MlflowCall, schema: Schema): Promise<z.output<Schema>>;
  /** The answer, or null when MLflow refuses with this code of its own. */
  callUnless<Schema extends z.ZodType>(
    errorCode: "RESOURCE_DOES_NOT_EXIST" | "RESOURCE_ALREADY_EXISTS",
    call: MlflowCall,
    schema: Schema,
  ): Promise<z.output<Schema> | null>;
  /** Sends a file to the artifact proxy, or fetches one: paths begin at the proxy's root. */
  putFile(path: string, bytes: Uint8Array): Promise<void>;
  getFile(path: string): Promise<Uint8Array>;
  /** Ends the requests under way. */
  close(): void;
}

/** Time for a request and its repetitions. */
const callTimeoutMs = 30_000;
/** Time for a file: artifacts go up to some hundred megabytes. */
const fileTimeoutMs = 300_000;
/** Before the second and the third attempt: a connection that the server closed while idle, or a deadlock in its database. */
const pausesMs = [200, 800];
/**
 * Calls under way at once. Each of MLflow's may hold one connection of its database while it waits for a second, of 15: twenty writers at once stop one
 * another for the pool's 30 s (MLflow 3.17).
 */
const maxCalls = 4;

interface Exchange {
  readonly verb: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly runId?: string | undefined;
  readonly once: boolean;
  readonly timeoutMs: number;
}

export function createMlflowApi({ url, authorization }: MlflowAddress, clock: Clock): MlflowApi {
  const closing = new AbortController();
  const inTurn = createTurns(maxCalls);

  const attempt = async (exchange: Exchange, signal: AbortSignal): Promise<Uint8Array | Refusal> => {
    const { verb, path, headers, body } = exchange;
    try {
      const response = await fetch(`${url}${path}`, {
        method: verb,
        headers: authorization === null ? headers : { ...headers, authorization },
        redirect: "manual",
        signal,
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return response.ok ? bytes : refusalOf(response.status, bytes);
    } catch (error) {
      const text = `MLflow at ${url} does not answer: ${reasonOf(error, exchange.timeoutMs)}`;
      throw new FltsError("TRACKER_UNAVAILABLE", text, error);
    }
  };

  /** @throws as the API does; TRACKER_UNAVAILABLE only after the attempts or the time are used up */
  const exchange = async (
    request: Exchange,
    tolerate: (refusal: Refusal) => boolean,
  ): Promise<Uint8Array | null> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(request.timeoutMs)]);
    for (let attempts = 0; ; attempts += 1) {
      try {
        const answer = await attempt(request, signal);
        if (answer instanceof Uint8Array) return answer;
        if (tolerate(answer)) return null;
        const what = `${request.verb} ${request.path.split("?")[0]}`;
        throw faultOf(answer, { server: url, what, runId: request.runId });
      } catch (error) {
        const pauseMs = request.once ? undefined : pausesMs[attempts];
        if (pauseMs === undefined || signal.aborted || !hasCode(error, "TRACKER_UNAVAILABLE")) throw error;
        await clock.sleep(pauseMs, signal);
      }
    }
  };

  const call = async <Schema extends z.ZodType>(
    { verb, method, query, body, runId, once = false, atOnce = false, timeoutMs = callTimeoutMs }: MlflowCall,
    schema: Schema,
    tolerate: (refusal: Refusal) => boolean,
  ): Promise<z.output<Schema> | null> => {
    const search = query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
    const request = {
      verb,
      path: `/api/2.0/mlflow/${method}${search}`,
      headers: { "content-type": "application/json" },
      body: body && Buffer.from(JSON.stringify(body)),
      runId,
      once,
      timeoutMs,
    };
    const ask = () => exchange(request, tolerate);
    const answer = await (atOnce ? ask() : inTurn(ask));
    return answer && parseAnswer(answer, schema, `${url} (${method})`);
  };

  return {
    call: async (request, schema) => (await call(request, schema, never)) as z.output<typeof schema>,
    callUnless: (errorCode, request, schema) =>
      call(request, schema, (refusal) => refusal.errorCode === errorCode),
    putFile: async (path, bytes) => {
      await exchange(file("PUT", path, bytes), never);
    },
    getFile: async (path) => (await exchange(file("GET", path), never)) ?? new Uint8Array(),
    close: () => closing.abort(new Error("the tracker is closed")),
  };
}

const never = (): boolean => false;

const file = (verb: "GET" | "PUT", path: string, body?: Uint8Array): Exchange => ({
  verb,
  path: `/api/2.0/mlflow-artifacts/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`,
  headers: { "content-type": "application/octet-stream" },
  body,
  // The proxy answers 500 for a file that is absent.
  once: verb === "GET",
  timeoutMs: fileTimeoutMs,
});

function parseAnswer<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  where: string,
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch (error) {
    throw new FltsError("TRACKER_UNAVAILABLE", `This is no answer of MLflow's: ${where}`, error);
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `nothing came within ${timeoutMs / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  // Of several addresses none answered: the message is empty.
  return cause.message || ("code" in cause ? String(cause.code) : error.message);
}
