import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFailed, test, vi } from "vitest";
import { stationCsv } from "../e2e/flts.ts";
import { audit } from "./audit.ts";
import { placesOf } from "./places.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/** Every service is killed at every place on Kafka, S3 and MLflow, and started again. Nobody does anything else (P8). */

let site: ServerSite;
let trainer: Supervised;
let judge: Supervised;
beforeAll(async () => {
  site = await openServerSite();
  trainer = site.supervise("train", {}, placesOf("train"));
  judge = site.supervise("eval", {}, placesOf("eval"));
}, 240_000);
afterAll(() => site?.close(), 60_000);

/** What the services said of errors, so that a failed test need not be run again to see it. */
function showComplaints(): void {
  onTestFailed(() => {
    for (const line of [...trainer.lines(), ...judge.lines()].slice(-80)) console.error(line);
  });
}

async function expectPromoted(station: string): Promise<void> {
  await site.settled([station]);
  await audit(site.backends, [station]);
}

test.each(placesOf("train"))("the trainer, killed %s", async (place) => {
  showComplaints();
  const station = site.station();
  await trainer.arm(place);
  await site.claim(station);
  await trainer.reached();
  await expectPromoted(station);
});

test.each(placesOf("eval"))("eval, killed %s", async (place) => {
  showComplaints();
  const station = site.station();
  // The first head of a station is created, the next one is swapped in.
  if (place.includes(":swap:")) {
    await site.claim(station);
    await site.settled([station]);
  }
  await judge.arm(place);
  await site.claim(station);
  await judge.reached();
  await expectPromoted(station);
});

test.each(placesOf("preprocess"))("the preprocess job, killed %s", async (place) => {
  showComplaints();
  const station = site.station();
  const marker = join(site.settings["FLTS_HOME"]!, `${station}-died`);
  const environment = { FLTS_FAILPOINT: place, FLTS_FAILPOINT_SCOPE: "process", FLTS_FAILPOINT_FILE: marker };
  await site.upload(station);
  expect(await site.preprocess(station, environment)).toBe("SIGKILL");
  expect(existsSync(marker)).toBe(true);
  expect(await site.preprocess(station, environment)).toBe(0);
  await expectPromoted(station);
});

describe("with a gateway", () => {
  let gateway: Supervised;
  beforeAll(() => {
    gateway = site.supervise("gateway", {}, placesOf("gateway"));
  });

  /** Whether the upload was acknowledged. */
  async function upload(name: string, body: string): Promise<boolean> {
    const { url } = await gateway.ready();
    try {
      const answer = await fetch(`${String(url)}/upload/dataset/${name}`, {
        method: "POST",
        body: new Blob([body]),
      });
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  test.each(placesOf("gateway"))(
    "that is killed %s, an upload is repeated by whoever got no answer",
    async (place) => {
      showComplaints();
      const station = site.station();
      await gateway.arm(place);
      expect(await upload(`${station}.csv`, stationCsv(700))).toBe(false);
      await gateway.reached();
      for (const [name, body] of [
        [`${station}.csv`, stationCsv(700)],
        [`${station}_test.csv`, stationCsv(200, 700)],
      ] as const)
        await vi.waitUntil(() => upload(name, body), { timeout: 120_000, interval: 250 });
      expect(await site.preprocess(station)).toBe(0);
      await expectPromoted(station);
    },
  );
});
