import { parentPort, workerData } from "node:worker_threads";
import { codeOf, type ErrorCode } from "@flts/common/contracts/errors";
import type { Table } from "@flts/forecasting/table/table";
import { decodeTable } from "./table-decoding.ts";

/** What became of the bytes that the thread was started with. */
export type DecodedTable =
  | { readonly table: Table }
  | { readonly code: ErrorCode | "UNCLASSIFIED"; readonly message: string };

/** A thread that decodes one table: those who wait for answers do not wait for it. */
async function decode(): Promise<DecodedTable> {
  try {
    return { table: await decodeTable(workerData as Uint8Array) };
  } catch (error) {
    return { code: codeOf(error), message: error instanceof Error ? error.message : String(error) };
  }
}

const decoded = await decode();
const numbers = "table" in decoded ? [decoded.table.timesMs, ...decoded.table.values] : [];
parentPort?.postMessage(decoded, [...new Set(numbers.map(({ buffer }) => buffer as ArrayBuffer))]);
