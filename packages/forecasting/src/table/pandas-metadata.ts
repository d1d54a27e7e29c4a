/**
 * The value of the `pandas` key in a Parquet file, from which pandas restores columns, types and a DatetimeIndex
 * (https://pandas.pydata.org/docs/development/developer.html, "Storing pandas DataFrame objects in Apache Parquet format").
 */
export function pandasMetadata(columns: readonly string[], index: string): object {
  return {
    index_columns: [index],
    column_indexes: [
      {
        name: null,
        field_name: null,
        pandas_type: "unicode",
        numpy_type: "object",
        metadata: { encoding: "UTF-8" },
      },
    ],
    columns: [
      ...columns.map((name) => entry(name, "float64", "float64")),
      entry(index, "datetime", "datetime64[ms]"),
    ],
    attributes: {},
    creator: { library: "flts", version: "0.1.0" },
    pandas_version: "2.3.2",
  };
}

const entry = (name: string, pandasType: string, numpyType: string) => ({
  name,
  field_name: name,
  pandas_type: pandasType,
  numpy_type: numpyType,
  metadata: null,
});

/** The field that pandas would take as the index, `undefined` when it wrote none down. */
export function pandasIndexColumn(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || !("index_columns" in parsed)) return undefined;
    const indexColumns: unknown = parsed.index_columns;
    const first: unknown = Array.isArray(indexColumns) ? indexColumns[0] : undefined;
    return typeof first === "string" ? first : undefined;
  } catch {
    return undefined; // the key is a courtesy of pandas: without it, the column `time` is the index
  }
}
