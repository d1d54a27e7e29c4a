import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { repository } from "../../tools/deploy/helm.ts";
import { installed } from "./installation.ts";
import { run } from "./kubectl.ts";
import { note, reportFolder } from "./report.ts";
import { openSwarm } from "./swarm.ts";

/** Whether the autoscaler moves under load, and comes back: what the driver measures. */

beforeAll(() => installed(), 900_000);

interface Movement {
  readonly InitialReplicas: string;
  readonly PeakReplicas: string;
  readonly FinalReplicas: string;
  /** What the swarm counted as failed, each kind once. */
  readonly errors: readonly string[];
}

/** A run of `drive.py hpa`, which keeps its timeline. @returns its row of hpa_summary.csv */
async function drive(
  name: string,
  settings: Readonly<Record<string, string>>,
  users: number,
  seconds: number,
): Promise<Movement> {
  const workers = 2;
  const swarm = await openSwarm(settings, workers);
  const output = join(reportFolder, name);
  mkdirSync(output, { recursive: true });
  try {
    const driver = run(join(repository, "locust", "drive.py"), [
      "hpa",
      `--master-url=${swarm.url}`,
      "--target-host=http://inference-lb",
      `--user-counts=${users}`,
      `--worker-counts=${workers}`,
      `--test-duration=${seconds}`,
      "--monitoring-interval=5",
      `--output=${output}`,
    ]);
    // It ends with 1 where a request failed: the errors below say which.
    const complaint = await driver.catch((error: unknown) => String(error));
    const [header = "", row = ""] = readFileSync(join(output, "hpa_summary.csv"), "utf8").split("\n");
    if (row === "") throw new Error(complaint);
    const cells = row.split(",");
    const columns = Object.fromEntries(header.split(",").map((column, at) => [column, cells[at]]));
    const movement = { ...columns, errors: (await swarm.counts()).errors };
    note(name, movement);
    return movement as unknown as Movement;
  } finally {
    swarm.close();
  }
}

test("long forecasts without a pause take it from two replicas to six and more, and back, and no request fails", async () => {
  const seen = await drive(
    "autoscaler-long-forecasts",
    {
      PREDICT_USER_WAIT_MIN: "0",
      PREDICT_USER_WAIT_MAX: "0",
      PREDICT_OUTPUT_LEN: "100",
      LOCUST_WEIGHTS: "predict=1",
    },
    // More would be refused before the new replicas are there: a replica lets nobody wait longer than PREDICT_MAX_WAIT_MS.
    8,
    60,
  );
  expect(seen).toMatchObject({ InitialReplicas: "2", FinalReplicas: "2", errors: [] });
  expect(Number(seen.PeakReplicas)).toBeGreaterThanOrEqual(6);
}, 1_800_000);

test("the validation report's load moves nothing: one replica could carry it", async () => {
  const seen = await drive(
    "autoscaler-report",
    {
      PREDICT_USER_WAIT_MIN: "1",
      PREDICT_USER_WAIT_MAX: "2",
      PREDICT_OUTPUT_LEN: "1",
      LOCUST_WEIGHTS: "predict=1",
    },
    50,
    60,
  );
  expect(seen).toMatchObject({ PeakReplicas: "2", errors: [] });
}, 600_000);
