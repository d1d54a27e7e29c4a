import { HttpError } from "@flts/common/service/http";

/** What is told to somebody whose Arrow stream is not as it should be. */
export const refusal = (detail: string): HttpError => new HttpError(400, detail);

/** The same for bytes that are no Arrow stream, or a part of one. */
export const unreadable = (why: string): HttpError =>
  refusal(`Request body is not a readable Arrow stream: ${why}`);
