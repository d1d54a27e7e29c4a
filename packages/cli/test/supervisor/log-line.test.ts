import { numberField, parseLogLine, portOf, textField } from "@flts/cli/supervisor/log-line";
import fc from "fast-check";
import { expect, test } from "vitest";

test("a line of JSON has an event, a level and fields", () => {
  const line = parseLogLine(
    '{"level":"info","service":"train","event":"train_start","run_id":"a1","rows":3}',
  );
  expect(line).toEqual({
    event: "train_start",
    level: "info",
    fields: { service: "train", run_id: "a1", rows: 3 },
  });
  expect(line && [textField(line, "run_id"), numberField(line, "rows"), textField(line, "rows")]).toEqual([
    "a1",
    3,
    undefined,
  ]);
});

test.each(["", "plain text", "{broken", "{}", '{"event":3}', "[1]", "null"])("%j is no log line", (text) => {
  expect(parseLogLine(text)).toBeNull();
});

test("no text whatever breaks the reader", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => parseLogLine(`{${text}`)).not.toThrow();
    }),
  );
});

const ready = (fields: object) => portOf({ event: "service_ready", level: "info", fields: { ...fields } });

test("a service names its port as a number or in its URL, or has none", () => {
  expect(ready({ port: 8050 })).toBe(8050);
  expect(ready({ url: "http://127.0.0.1:8000" })).toBe(8000);
  expect(ready({ url: "nonsense" })).toBeUndefined();
  expect(ready({ metricsPort: 9091 })).toBeUndefined();
});
