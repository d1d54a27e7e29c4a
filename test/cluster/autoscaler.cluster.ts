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
  readonly TotalRequests: string;
  readonly Failures: string;
}

/** A run of `drive.py hpa`. @returns its row of hpa_summary.csv */
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
    await run(join(repository, "locust", "drive.py"), [
      "hpa",
      `--master-url=${swarm.url}`,
      "--target-host=http://inference-lb",
      `--user-counts=${users}`,
      `--worker-counts=${workers}`,
      `--test-duration=${seconds}`,
      "--monitoring-interval=5",
      `--output=${output}`,
    ]);
  } finally {
    swarm.close();
  }
  const [header = "", row = ""] = readFileSync(join(output, "hpa_summary.csv"), "utf8").split("\n");
  const cells = row.split(",");
  const movement = Object.fromEntries(header.split(",").map((column, at) => [column, cells[at]]));
  note(name, movement);
  return movement as unknown as Movement;
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
    20,
    120,
  );
  expect(seen).toMatchObject({ InitialReplicas: "2", FinalReplicas: "2", Failures: "0" });
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
  expect(seen).toMatchObject({ PeakReplicas: "2", Failures: "0" });
}, 600_000);
