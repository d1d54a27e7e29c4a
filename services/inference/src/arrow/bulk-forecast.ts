import type { Champion } from "../model/model-slot.ts";
import type { Job } from "../predict/admission.ts";
import { answerWriter } from "./answer-batches.ts";
import type { LongTable } from "./long-table.ts";

/** Windows that a bulk request asks for at once: so much of it counts as work in hand, and others wait no longer for it than this takes. */
const WINDOWS_AT_ONCE = 512;
/** Rows of one batch of the answer, at most where a series has not more by itself. */
const ROWS_AT_ONCE = 16_384;

/**
 * Forecasts the `steps` steps after the last row of each series, and gives the answer in pieces while it is computed.
 * @throws what {@link Job} throws when nobody waits any more
 */
export async function* answerInPieces(
  table: LongTable,
  champion: Champion,
  steps: number,
  job: Job,
): AsyncGenerator<Uint8Array> {
  const { model } = champion;
  const { head, batch, end } = answerWriter(champion);
  const calls = Math.ceil(steps / model.horizon);
  const seriesAtOnce = Math.max(
    1,
    Math.min(Math.floor(WINDOWS_AT_ONCE / calls), Math.floor(ROWS_AT_ONCE / steps)),
  );
  let before: Uint8Array = head;
  for (let from = 0; from < table.names.length; from += seriesAtOnce) {
    const names = table.names.slice(from, from + seriesAtOnce);
    job.expect(names.length * calls);
    const histories = names.map((_, index) => table.history(from + index));
    const forecasts = await model.forecastEach(histories, steps, job);
    yield before;
    before = batch({ names, forecasts });
  }
  yield before;
  yield end;
}
