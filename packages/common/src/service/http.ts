import type { IncomingMessage } from "node:http";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { FltsError } from "../contracts/errors.ts";
import { setting } from "./config.ts";
import type { Logger } from "./logger.ts";
import type { Probes } from "./probes.ts";

/** The settings of every process that answers HTTP. */
export const httpSettings = {
  PORT: setting.port(8000),
  /** One line per request: for finding a fault, not for load. */
  LOG_REQUESTS: setting.flag(false),
};

export interface HttpOptions {
  readonly log: Logger;
  readonly registry: Registry;
  readonly probes: Probes;
  /** Largest body that is read into memory. */
  readonly bodyLimitBytes: number;
  readonly logRequests: boolean;
  /** What `/healthz` says beside its status. */
  readonly health?: () => Readonly<Record<string, unknown>>;
}

/** A socket on which nothing moves for so long is given up. */
const IDLE_SOCKET_MS = 60_000;

/** No longer than a key of the object store, so that such a key can be named in a path. */
const MAX_PATH_PARAMETER = 8192;

/**
 * An HTTP application with what all of ours share: `/healthz` and `/readyz`, rate, errors and duration by route, and every refusal as
 * `{"detail": …}` with a status that says whose fault it was. Its stack traces go to the log alone.
 */
export function createHttpApp({
  log,
  registry,
  probes,
  bodyLimitBytes,
  logRequests,
  health = () => ({}),
}: HttpOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    connectionTimeout: IDLE_SOCKET_MS,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply, log),
  });
  watchRequests(app, [measure(registry, logRequests ? log : null), letGoWhileStopping(app)]);
  app.setErrorHandler<FastifyError>((error, request, reply) => answerError(error, request, reply, log));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: "Not Found" }));
  app.get("/healthz", () => ({ status: "ok", ...health() }));
  app.get("/readyz", async (_request, reply) => {
    const readiness = await probes.readiness();
    return reply.code(readiness.status === "ready" ? 200 : 503).send(readiness);
  });
  return app;
}

/** What an error becomes on the wire. */
export interface Refusal {
  readonly status: number;
  /** A sentence, or the list of faults that FastAPI's clients expect of a 422. */
  readonly detail: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that carries its answer: for faults of a request, which have no place in the table of error codes. */
export class HttpError extends Error {
  readonly refusal: Refusal;

  constructor(status: number, detail: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(typeof detail === "string" ? detail : JSON.stringify(detail));
    this.name = "HttpError";
    this.refusal = { status, detail, headers };
  }
}

/** Seconds after which a client may try again what a retryable fault refused. */
const RETRY_AFTER_SECONDS = 1;

/** The one place where an error becomes a status: the sender's fault is 4xx, what time mends is 503, the rest is ours. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof HttpError) return error.refusal;
  if (error instanceof FltsError) return refusalOfCode(error);
  // Fastify's own: a body too large, of a wrong type, a URL that cannot be decoded.
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number")
    if (error.statusCode >= 400 && error.statusCode < 500)
      return { status: error.statusCode, detail: error.message };
  return { status: 500, detail: "Internal Server Error" };
}

function refusalOfCode({ code, kind, message }: FltsError): Refusal {
  if (code === "OBJECT_TOO_LARGE") return { status: 413, detail: message };
  if (code === "OBJECT_MISSING") return { status: 404, detail: message };
  if (code === "OBJECT_CONFLICT") return { status: 409, detail: message };
  switch (kind) {
    case "poison":
      return { status: 400, detail: message };
    case "retryable":
      return {
        status: 503,
        detail: `Temporarily unavailable (${code}), try again`,
        headers: { "retry-after": String(RETRY_AFTER_SECONDS) },
      };
    case "fatal":
      return { status: 500, detail: `An operator has to mend this service (${code}), see its log` };
  }
}

/**
 * Answers with what an error becomes; a fault of ours is logged.
 * @param bodyOf for a protocol with an error body of its own
 */
export async function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
  bodyOf: (detail: unknown) => object = (detail) => ({ detail }),
): Promise<FastifyReply> {
  const { status, detail, headers = {} } = refusalOf(error);
  if (status >= 500 && !(error instanceof HttpError))
    log.error("http_request_error", error, { method: request.method, path: request.url, status });
  if (!request.raw.complete) await makeHeard(request, reply);
  return reply.code(status).headers(headers).send(bodyOf(detail));
}

/** Bytes of a refused body that are read on. */
const LINGER_BYTES = 64 * 1024 ** 2;

/**
 * Lets a client that is still sending see its answer, and not a connection that was reset under it: the rest of its body is read and thrown away, up to a
 * bound. Where the connection ends with the answer, that has to come first.
 */
async function makeHeard(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  void reply.removeHeader("connection"); // Fastify's, which would end it.
  const rest = discardRest(request.raw);
  if (request.headers.connection?.toLowerCase() === "close") await rest;
  else void rest.then((whole) => whole || request.raw.destroy());
}

/** Reads a body to its end, false if it is longer than the bound. */
function discardRest(body: IncomingMessage): Promise<boolean> {
  if (body.destroyed || body.readableEnded) return Promise.resolve(true);
  return new Promise((resolve) => {
    let discarded = 0;
    body.on("data", (chunk: Uint8Array) => {
      discarded += chunk.length;
      if (discarded > LINGER_BYTES) resolve(false);
    });
    body.once("close", () => resolve(true));
    body.once("end", () => resolve(true));
    body.resume();
  });
}

/** Seconds; the reference's buckets, and below them, where our answers lie. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5, 10, 30];

/** Looks at a request when its headers are there; what it gives back is called when the connection is done with the answer. */
type Watch = (request: FastifyRequest, reply: FastifyReply) => () => void;

/** One hook and one listener for all, because every request pays for them. */
function watchRequests(app: FastifyInstance, watches: readonly Watch[]): void {
  app.addHook("onRequest", (request, reply, done) => {
    const ends = watches.map((watch) => watch(request, reply));
    // Emitted exactly once, also where the client went away.
    reply.raw.once("close", () => {
      for (const end of ends) end();
    });
    done();
  });
}

function measure(registry: Registry, log: Logger | null): Watch {
  const labelNames = ["method", "endpoint", "status"] as const;
  const registers = [registry];
  const total = new Counter({
    name: "http_requests_total",
    help: "Requests answered, by route and status",
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer",
    labelNames,
    buckets: durationBuckets,
    registers,
  });
  const inFlight = new Gauge({ name: "http_requests_in_flight", help: "Requests being answered", registers });
  return (request, reply) => {
    const begun = performance.now();
    inFlight.inc();
    return () => {
      inFlight.dec();
      const labels = {
        method: request.method,
        endpoint: request.routeOptions.url ?? "unmatched",
        status: String(reply.raw.writableEnded ? reply.statusCode : CLIENT_GONE),
      };
      const durationMs = performance.now() - begun;
      total.inc(labels);
      duration.observe(labels, durationMs / 1000);
      log?.info("http_request_in", { ...labels, path: request.url, durationMs });
    };
  };
}

/** A stop closes the connections that are idle when it begins. One that is at work then becomes idle later, and nobody but us would close it. */
function letGoWhileStopping(app: FastifyInstance): Watch {
  let stopping = false;
  app.addHook("preClose", (done) => {
    stopping = true;
    done();
  });
  const letGo = (): void => {
    if (stopping) setImmediate(() => app.server.closeIdleConnections());
  };
  return () => letGo;
}

/** nginx's status for a client that closed the connection before it had its answer. */
const CLIENT_GONE = 499;
