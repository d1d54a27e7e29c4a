import { HttpError } from "@flts/common/service/http";
import type { ServableModel } from "../model/servable-model.ts";
import { MAX_NUMBER, MAX_TIME_MS, MIN_TIME_MS } from "../predict/rows.ts";
import { END_TIMES, tensorsOf, WINDOW } from "./model-tensors.ts";
import type { InferRequest, InputTensor } from "./request.ts";

/** The windows of a request, as a model takes them. */
export interface Windows {
  /** `[n, window, columns]` */
  readonly windows: Float64Array;
  /** `[n]`; NaN where the request does not say. */
  readonly endTimesMs: Float64Array;
}

const datatypes: Readonly<Record<string, readonly string[]>> = {
  [WINDOW]: ["FP64", "FP32"],
  [END_TIMES]: ["INT64"],
};

/** Holds the tensors of a request to what a model takes. @throws HttpError 400 naming the tensor and its field */
export function readWindows({ inputs }: InferRequest, model: ServableModel): Windows {
  const known = tensorsOf(model).inputs;
  const found = new Map<string, InputTensor>();
  for (const [index, tensor] of inputs.entries()) {
    const expected = known.find(({ name }) => name === tensor.name);
    if (expected === undefined)
      throw refusal(
        `inputs.${index}.name: there is no input ${shown(tensor.name)}, the model takes ${known.map(({ name }) => name).join(" and ")}`,
      );
    if (found.has(tensor.name)) throw refusal(`inputs.${index}.name: '${tensor.name}' is given twice`);
    checkKind(tensor, expected.shape, `inputs.${index}`);
    found.set(tensor.name, tensor);
  }
  const window = found.get(WINDOW);
  if (window === undefined) throw refusal(`inputs: '${WINDOW}' is missing`);
  const windows = numbersOf(window, windowCell);
  const count = window.shape[0]!;
  const times = found.get(END_TIMES);
  if (times === undefined) return { windows, endTimesMs: new Float64Array(count).fill(Number.NaN) };
  if (times.shape[0] !== count)
    throw refusal(`input '${END_TIMES}': shape must be [${count}], one time for each window`);
  return { windows, endTimesMs: numbersOf(times, endTime) };
}

function checkKind({ name, shape, datatype }: InputTensor, expected: readonly number[], at: string): void {
  const allowed = datatypes[name] ?? [];
  if (!allowed.includes(datatype))
    throw refusal(`${at}.datatype: '${name}' must be ${allowed.join(" or ")}, is ${shown(datatype)}`);
  const fits =
    shape.length === expected.length &&
    shape.every((size, axis) => (axis === 0 ? size > 0 : size === expected[axis]));
  if (!fits)
    throw refusal(
      `${at}.shape: '${name}' must be [${expected.map((size) => (size < 0 ? "n" : size)).join(", ")}] with n of at least 1, is [${shape.join(", ")}]`,
    );
}

/** Reads one cell; undefined for one that is not as it should be. */
type ReadCell = (cell: unknown) => number | undefined;

const windowCell: ReadCell = (cell) => {
  if (cell === null) return Number.NaN;
  return typeof cell === "number" && Math.abs(cell) <= MAX_NUMBER ? cell : undefined;
};

const endTime: ReadCell = (cell) =>
  typeof cell === "number" && Number.isInteger(cell) && cell >= MIN_TIME_MS && cell <= MAX_TIME_MS
    ? cell
    : undefined;

const wanted: Readonly<Record<string, string>> = {
  [WINDOW]: `numbers of at most ${MAX_NUMBER}, or null`,
  [END_TIMES]: "milliseconds since 1970 as whole numbers",
};

/** The numbers of a tensor, whose data may be flat or nested as its shape. */
function numbersOf(tensor: InputTensor, read: ReadCell): Float64Array {
  const { name, shape, data } = tensor;
  const cells = Array.isArray(data[0]) ? flatten(tensor) : data;
  if (cells.length !== shape.reduce((product, length) => product * length, 1)) throw wrongLength(tensor);
  const numbers = new Float64Array(cells.length);
  for (const [index, cell] of cells.entries()) {
    const number = read(cell);
    if (number === undefined)
      throw refusal(`input '${name}': data[${index}] is ${shown(cell)}, must be ${wanted[name]}`);
    numbers[index] = number;
  }
  return numbers;
}

/** Takes the nesting away, and holds every list to the shape: a flat list of that many cells could be another tensor's. */
function flatten(tensor: InputTensor): readonly unknown[] {
  let cells: readonly unknown[] = [tensor.data];
  for (const length of tensor.shape)
    cells = cells.flatMap((list) => {
      if (!Array.isArray(list) || list.length !== length) throw wrongLength(tensor);
      return list as readonly unknown[];
    });
  return cells;
}

const wrongLength = ({ name, shape }: InputTensor): HttpError =>
  refusal(`input '${name}': data has not as many cells as its shape [${shape.join(", ")}] says`);

const shown = (value: unknown): string => (JSON.stringify(value) ?? "undefined").slice(0, 60);

const refusal = (detail: string): HttpError => new HttpError(400, detail);
