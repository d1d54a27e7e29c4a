import { forecastLocally } from "@flts/cli/local-forecast";
import { writeDocument } from "@flts/common/claim-check/documents";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import { encodeManifest, storeArtifact } from "@flts/families/artifact";
import { fitFamily } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows } from "@flts/forecasting/table/table";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { buildDecision, buildPromotion, buildRow, storePromotion } from "./pipeline/decisions.ts";

const store = createMemoryStore();
const tracker = createMemoryTracker();
const raw = synthesizeStation({ seed: 1, rows: 1_000, startMs: Date.UTC(2026, 0, 5) });
const testRaw = sliceRows(raw, 800);

/** A promoted LINEAR model and the station's processed test table: what a round leaves behind. */
beforeAll(async () => {
  for (const bucket of Object.values(buckets)) await store.ensureBucket(bucket);
  const {
    train,
    test: scaled,
    scaling,
  } = preprocessPair(sliceRows(raw, 0, 800), testRaw, defaultSettings("a", "b"));
  const family = familyOf("LINEAR");
  const { artifact } = await fitFamily(family, {
    parquet: writeParquet(train, { scaling: JSON.stringify(scaling) }),
    targets: ["down"],
    settings: z.object(family.settings).parse({}),
    seed: "seed",
    provenance: {
      round: "r1",
      work_key: "a".repeat(64),
      config_hash: "c1",
      identifier: "",
      table: { bucket: buckets.processed, object: "t", size: 1, sha256: "b".repeat(64) },
      code_version: "test",
    },
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  const { runId } = await tracker.startRun({ experiment: "Default", name: "LINEAR", tags: {} });
  await storeArtifact(tracker, runId, artifact);
  const decision = buildDecision({ scoreboard: [buildRow("LINEAR", { run_id: runId })] });
  const manifestSha256 = sha256(encodeManifest(artifact.manifest));
  await storePromotion(store, buildPromotion(decision, { manifest_sha256: manifestSha256 }));

  const bytes = writeParquet(scaled, { scaling: JSON.stringify(scaling) });
  const digest = sha256(bytes);
  const key = keys.processedTable("", digest, "test_processed_data");
  await store.put({ bucket: buckets.processed, key }, bytes);
  const head = {
    output_bucket: buckets.processed,
    output_object: key,
    size: bytes.byteLength,
    sha256: digest,
  };
  const headKey = keys.processedHead("", "test_processed_data");
  await writeDocument(store, { bucket: buckets.processed, key: headKey }, head);
});

const request = { identifier: "", horizon: 5, history: null };

test("the promoted model forecasts the steps after the station's test table, with intervals", async () => {
  const { points, target } = await forecastLocally({ store, tracker }, request);
  expect(target).toBe("down");
  expect(points.map(({ ts }) => ts)).toEqual(
    [0, 2, 4, 6, 8].map((minutes) =>
      new Date(Date.UTC(2026, 0, 6, 9, 20 + minutes)).toISOString().slice(0, 19),
    ),
  );
  for (const { value, lower, upper } of points) {
    expect(value).toBeGreaterThan(1e6);
    expect(lower).toBeLessThanOrEqual(value);
    expect(upper).toBeGreaterThanOrEqual(value);
  }
});

test("measurements in raw units give what the test table of the same rows gives", async () => {
  const stored = await forecastLocally({ store, tracker }, request);
  const given = await forecastLocally({ store, tracker }, { ...request, history: testRaw });
  for (const [step, { value }] of given.points.entries())
    expect(Math.abs(value / (stored.points[step]?.value ?? 0) - 1)).toBeLessThan(1e-6);
});

test("a station without a promotion says what to do", async () => {
  await expect(forecastLocally({ store, tracker }, { ...request, identifier: "elsewhere" })).rejects.toThrow(
    /^no model was promoted for the station "elsewhere" here yet: 'pnpm flts status'/,
  );
});

test("too little history is refused with what is needed", async () => {
  const short = { ...request, history: sliceRows(testRaw, 0, 2) };
  await expect(forecastLocally({ store, tracker }, short)).rejects.toMatchObject({ code: "TABLE_TOO_SHORT" });
});
