import { Float64 } from "apache-arrow";
import type { createService } from "../service.ts";
import { type TestColumns, timeAt, types } from "./streams.ts";

type Service = ReturnType<typeof createService>;

/** Requests of `POST /predict/bulk`, for its tests. */

export const ARROW = "application/vnd.apache.arrow.stream";
export const float = new Float64();

/** How a test asks a service. */
export const bulkOf =
  (service: Service) =>
  (payload: Buffer, query = "", type = ARROW) =>
    service.app.inject({
      method: "POST",
      url: `/predict/bulk${query}`,
      payload,
      headers: { "content-type": type },
    });

/** Rows of a request: what is given, or two rows of one series. */
export const rowsOf = (columns: TestColumns = {}): TestColumns => ({
  ts: { type: types.time, values: [timeAt(0), timeAt(1)] },
  down: { type: float, values: [1, 2] },
  up: { type: float, values: [3, 4] },
  ...columns,
});

export const many = (count: number): number[] => Array.from({ length: count }, (_, row) => row);

export const text = (...values: (string | null)[]) => ({ type: types.text, values });
