import type { IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HttpError } from "@flts/common/service/http";
import { parsePart } from "@flts/common/service/request-part";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Champion } from "../model/model-slot.ts";
import type { Job } from "../predict/admission.ts";
import { type Observing, observed } from "../predict/observed.ts";
import { TIMEOUT_HEADER, timeoutOf } from "../predict/patience.ts";
import type { WithChampion } from "../predict/with-champion.ts";
import { answerInPieces } from "./bulk-forecast.ts";
import { createByteSource } from "./byte-source.ts";
import { createLongTable, type LongTable } from "./long-table.ts";
import { type ArrowMessage, headerKinds, readMessages, trusted } from "./messages.ts";
import { type BulkQuery, bulkQuery } from "./query.ts";
import { readRecordBatch } from "./record-batch.ts";
import { refusal, unreadable } from "./refusal.ts";
import { fieldsOf } from "./schema.ts";

export interface BulkLimits {
  /** Of a request's body. */
  readonly maxBytes: number;
  /** Of one record batch, which is in memory whole. */
  readonly maxBatchBytes: number;
  readonly maxRows: number;
  /** Requests in hand at once: each has its rows in memory. */
  readonly maxRequests: number;
  /** Longest that one may take, in the place of other requests' limit. */
  readonly timeoutMs: number;
}

export interface BulkDeps extends Observing {
  readonly withChampion: WithChampion;
  readonly limits: BulkLimits;
}

export const ARROW_TYPE = "application/vnd.apache.arrow.stream";

interface BulkRoute {
  Body: IncomingMessage | undefined;
  Headers: { readonly [TIMEOUT_HEADER]?: string };
}

/**
 * `POST /predict/bulk`: an Arrow stream of many series' rows in, an Arrow stream of their forecasts out, by the same model and with the same numbers as
 * `/predict`.
 *
 * - K1 All rows are read and checked before the first byte of the answer: what is wrong with them is a status. Memory is bounded by the limits, not by the client.
 * - K2 The answer goes out as it is computed, no faster than the client takes it. A fault that late breaks the connection off: what has arrived is not mistaken
 *   for a whole answer.
 */
export function addBulkRoute(app: FastifyInstance, deps: BulkDeps): void {
  const { limits } = deps;
  let inHand = 0;
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(ARROW_TYPE, async (_request: FastifyRequest, body: IncomingMessage) => body);
    scope.post<BulkRoute>("/predict/bulk", async (request, reply) => {
      reply.header("content-type", ARROW_TYPE);
      const query = parsePart(bulkQuery, request.query, "query");
      if (request.body === undefined) throw unreadable("there is no body");
      if (inHand >= limits.maxRequests)
        throw new HttpError(429, "Too many bulk requests are in hand, try again", { "retry-after": "1" });
      inHand += 1;
      let isDone = false;
      const done = (): void => {
        if (!isDone) inHand -= 1;
        isDone = true;
      };
      return startAnswer((send) => answer(request, query, deps, send, done).finally(done));
    });
  });
}

/** Begins work that answers by handing over a stream; a failure before that is thrown, one after it ends the stream. */
function startAnswer(work: (send: (stream: Readable) => void) => Promise<void>): Promise<Readable> {
  return new Promise((resolve, reject) => {
    let sent: Readable | null = null;
    const send = (stream: Readable): void => {
      sent = stream;
      resolve(stream);
    };
    work(send).catch((error: unknown) => {
      reject(error);
      sent?.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

function answer(
  { headers, raw, body }: FastifyRequest<BulkRoute>,
  query: BulkQuery,
  { withChampion, limits, ...observing }: BulkDeps,
  send: (stream: Readable) => void,
  done: () => void,
): Promise<void> {
  const call = {
    identifier: query.identifier ?? null,
    timeoutMs: timeoutOf(headers[TIMEOUT_HEADER]),
    limitMs: limits.timeoutMs,
    isPresent: () => !raw.socket.destroyed,
  };
  return observed(observing, () =>
    withChampion(call, async (champion, job) => {
      try {
        const table = await readTable(body!, query, champion, limits, job); // K1
        const pieces = answerInPieces(table, champion, query.inference_length, job);
        const first = await pieces.next();
        // Between the two, so that it can be broken off while the next piece is awaited.
        const stream = new PassThrough();
        send(stream);
        await pipeline(startingWith(first, pieces, done), stream); // K2
      } catch (error) {
        job.check(); // Whatever broke when the client left or its time was over, that was why.
        throw error;
      }
    }),
  );
}

/** The first and the rest. Done is told before the last is out: a client that has its answer can ask again. */
async function* startingWith(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncIterator<Uint8Array, void>,
  done: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    done();
  }
}

async function readTable(
  body: IncomingMessage,
  query: BulkQuery,
  { model }: Champion,
  limits: BulkLimits,
  job: Job,
): Promise<LongTable> {
  // Not `for await` on the body itself: leaving it would end the connection before the refusal is written.
  const source = createByteSource(body.iterator({ destroyOnReturn: false }), limits.maxBytes);
  const messages = readMessages(source, limits.maxBatchBytes);
  const first: ArrowMessage | undefined = (await messages.next()).value ?? undefined;
  if (first?.kind !== headerKinds.schema) throw unreadable("it does not begin with a schema");
  const fields = trusted(() => fieldsOf(first.header));
  const choice = { indexColumn: query.index_col ?? null, seriesColumn: query.series_col };
  const rows = createLongTable(fields, model, choice, limits.maxRows);
  for await (const message of messages) {
    job.check();
    if (message.kind === headerKinds.dictionary)
      throw refusal("Dictionaries are not taken: send values themselves");
    if (message.kind !== headerKinds.recordBatch)
      throw unreadable(`it has a message of kind ${message.kind}`);
    await rows.add(trusted(() => readRecordBatch(message, fields)));
  }
  return rows.finish();
}
