import { readPointer } from "@flts/common/contracts/pointer";
import fc from "fast-check";
import { expect, test } from "vitest";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => readPointer(encode(text));

/** As the reference's eval writes them (behaviour §6.4). */
const reference = {
  identifier: "",
  config_hash: "c".repeat(64),
  run_id: "0123456789abcdef0123456789abcdef",
  model_type: "GRU",
  experiment: "Default",
  model_uri: "runs:/0123456789abcdef0123456789abcdef/GRU",
  rmse: 0.04,
  mae: 0.03,
  mse: 0.002,
  score: 0.03,
  timestamp: "2025-10-02T00:00:00Z",
  weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
};

/** As an operator types them after the validation report (§5.2 A). */
const typed = {
  model_uri: "s3://mlflow/0/0123456789abcdef0123456789abcdef/artifacts/LSTM",
  run_id: "0123456789abcdef0123456789abcdef",
  experiment_name: "Default",
  model_type: "LSTM",
  config_hash: "d".repeat(64),
  score: 0.67,
  timestamp: "2025-11-04T23:05:00Z",
};

const envelope = (json: string): string =>
  `--4f2a\r\nContent-Disposition: form-data; name="file"; filename="current.json"\r\nContent-Type: application/json\r\n\r\n${json}\r\n--4f2a--\r\n`;

const runId = "0123456789abcdef0123456789abcdef";

test.each([
  [
    "the reference's schema",
    reference,
    { runId, modelType: "GRU", configHash: "c".repeat(64), identifier: "" },
  ],
  ["the report's schema", typed, { runId, modelType: "LSTM", configHash: "d".repeat(64), identifier: null }],
  ["nothing but a run", { run_id: "r" }, { runId: "r", modelType: null, configHash: null, identifier: null }],
  [
    "a runs URI",
    { model_uri: `runs:/${runId}/GRU` },
    { runId, modelType: null, configHash: null, identifier: null },
  ],
  [
    "an artifact's URI",
    { model_uri: typed.model_uri },
    { runId, modelType: null, configHash: null, identifier: null },
  ],
])("reads %s, plain, indented and in a multipart envelope", (_name, document, pointer) => {
  expect(read(JSON.stringify(document))).toEqual({ pointer, source: "direct" });
  expect(read(JSON.stringify(document, null, 2))).toEqual({ pointer, source: "direct" });
  expect(read(envelope(JSON.stringify(document)))).toEqual({ pointer, source: "multipart_brace_extract" });
});

test("finds the object in text around it, and beside braces that are none", () => {
  expect(read(`pointer: ${JSON.stringify(typed)} (by hand)`)).toMatchObject({ source: "brace_fallback" });
  expect(read(envelope(`{not json} {"model_uri": "runs:/${runId}/GRU"} {nor this}`))).toMatchObject({
    pointer: { runId },
    source: "multipart_regex_extract",
  });
});

test.each([
  ["nothing", "", "no_json_detected"],
  ["a text", "promote my model", "no_json_detected"],
  ["an envelope of nothing", envelope(""), "multipart_detected_no_json"],
  ["broken JSON", '{"run_id": ', "no_json_detected"],
  ["broken JSON in braces", '{"run_id": }', "brace_fallback_failed"],
  ["broken JSON in an envelope", envelope('{"run_id": }'), "brace_extract_failed"],
  ["a list", "[1]", "no_json_detected"],
  ["no run", '{"model_type": "GRU"}', "it names no run: run_id or model_uri is needed"],
  ["a run that is no text", '{"run_id": 7}', "run_id: Invalid input: expected string, received number"],
])("says of %s why it is none", (_name, text, reason) => {
  expect(read(text)).toEqual({ pointer: null, reason });
});

test("any bytes are read or refused, and never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const reading = readPointer(bytes);
      expect("reason" in reading || reading.pointer.runId.length > 0).toBe(true);
    }),
  );
});
