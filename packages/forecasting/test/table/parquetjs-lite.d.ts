/** What the tests use of a package that brings no types. */
declare module "parquetjs-lite" {
  interface Field {
    readonly type: string;
    readonly compression: string;
    readonly optional?: boolean;
  }
  interface Writer {
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  const parquetjs: {
    readonly ParquetSchema: new (fields: Readonly<Record<string, Field>>) => object;
    readonly ParquetWriter: { openFile(schema: object, path: string): Promise<Writer> };
  };
  export default parquetjs;
}
