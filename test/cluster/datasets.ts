import { readFileSync } from "node:fs";
import { join } from "node:path";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { repository } from "../../tools/deploy/helm.ts";
import { through } from "./forward.ts";
import { kubectl } from "./kubectl.ts";

const TRAIN_ROWS = 1_800;
const TEST_ROWS = 600;

/** Uploads `<name>.csv` and `<name>_test.csv` of a made-up station through the gateway. */
export async function uploadDataset(name: string, seed: number): Promise<void> {
  const rows = TRAIN_ROWS + TEST_ROWS;
  const station = synthesizeStation({ seed, rows, startMs: Date.UTC(2026, 2, 2) });
  const files = [
    [`${name}.csv`, sliceRows(station, 0, TRAIN_ROWS)],
    [`${name}_test.csv`, sliceRows(station, TRAIN_ROWS, rows)],
  ] as const;
  await through("service/gateway", 8000, async (url) => {
    for (const [file, table] of files) {
      const answer = await fetch(`${url}/upload/dataset/${file}`, { method: "POST", body: toCsv(table) });
      if (!answer.ok) throw new Error(`${file}: ${answer.status} ${await answer.text()}`);
    }
  });
}

/** Runs the preprocess Job of the manifests to its end, with another dataset. @param station empty for the only one */
export async function preprocess(dataset: string, station = ""): Promise<void> {
  const job = readFileSync(join(repository, "k8s", "preprocess.yaml"), "utf8")
    .replace(/^ {2}name: preprocess$/m, `  name: preprocess-${dataset}`)
    .replaceAll("synthetic", dataset)
    .replace(
      '- name: IDENTIFIER\n              value: ""',
      `- name: IDENTIFIER\n              value: "${station}"`,
    );
  const name = `job/preprocess-${dataset}`;
  await kubectl(["delete", name, "--ignore-not-found"]);
  await kubectl(["apply", "--filename=-"], { input: job });
  await kubectl(["wait", "--for=condition=Complete", name, "--timeout=180s"]);
}
