import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Artifact, encodeManifest } from "@flts/families/artifact";
import { runClosedLoop } from "@flts/testing/load/closed-loop";
import type { LoadSummary } from "@flts/testing/load/outcome";
import { postRequest } from "@flts/testing/load/target";
import { bodiesOf } from "./peers/bodies.ts";
import { peers } from "./peers/peers.ts";
import { startPeer, versionsOf } from "./peers/run-peer.ts";
import { openHome, promote, storeRun, trainLstm } from "./predict/home.ts";
import { startReplica } from "./predict/replica.ts";
import { print } from "./predict/report.ts";
import { benchStation } from "./predict/station.ts";

/**
 * `pnpm bench:peers [NAME…]`: other servers for the same exported LSTM 2×128, each asked right after ours in the same way, with the generator on the same cores: `/predict` against
 * FastAPI that does the same checks and features, tensors of the Open Inference Protocol against MLServer, and MLflow's and BentoML's own routes, bare tensors all. `BENCH_SECONDS` (10) is the
 * length of each load. `PEERS_PYTHON` and `MLSERVER_PYTHON` name interpreters that have them (tools/python/requirements-peers.txt, requirements-mlserver.txt).
 */
const USERS = 50;
const WARM_UP_MS = 2_000;
const REQUESTS = 200;
/** Of an answer, relative to ours: another build of onnxruntime rounds otherwise. */
const TOLERANCE = 1e-4;

const durationMs = Number(process.env["BENCH_SECONDS"] ?? 10) * 1000;
const chosen = process.argv.slice(2);

interface Server {
  readonly host: string;
  readonly port: number;
}

async function load({ host, port }: Server, path: string, bodies: readonly string[]): Promise<LoadSummary> {
  const requests = bodies.map((body) => postRequest(path, body));
  await runClosedLoop({ host, port, requests, users: USERS, durationMs: WARM_UP_MS });
  return runClosedLoop({ host, port, requests, users: USERS, durationMs });
}

async function ask({ host, port }: Server, path: string, body: string): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://${host}:${port}${path}`, { method: "POST", headers, body });
  return response.json();
}

/** The model's folder, as MLflow keeps it. */
function exportModel({ manifest, files }: Artifact, folder: string): void {
  const all = new Map(files).set("manifest.json", encodeManifest(manifest));
  for (const [name, bytes] of all) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

const folder = mkdtempSync(join(tmpdir(), "flts-bench-peers-"));
const model = join(folder, "model");
const station = benchStation();
const home = await openHome(folder);
const champion = await storeRun(home, await trainLstm(station, "a"));
await promote(home, champion, 1);
exportModel(champion.artifact, model);
const bodies = await bodiesOf(station, champion.artifact, REQUESTS);

for (const peer of peers.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  const versions = versionsOf(peer);
  if (versions === null) {
    print(`peers.${peer.name}`, {
      installed: false,
      why: `${peer.python} names no interpreter with ${peer.packages[0]}`,
    });
    continue;
  }
  const replica = await startReplica(folder, peer.name);
  const isPredict = peer.body === "predict";
  const ours = isPredict
    ? { path: "/predict", bodies: bodies.predict }
    : { path: "/v2/models/default/infer", bodies: bodies.oip };
  const first = (await ask(replica, "/predict", bodies.predict[0]!)) as { predictions: { down: number }[] };
  const own = await load(replica, ours.path, ours.bodies);
  print(`peers.${peer.name}.flts`, { route: ours.path, ...own });
  await replica.stop();

  const running = await startPeer(peer, model, folder);
  try {
    const answer = peer.read(await ask(running, peer.path, bodies[peer.body][0]!));
    const expected = first.predictions[0]?.down ?? Number.NaN;
    if (!(Math.abs(answer / expected - 1) < TOLERANCE))
      throw new Error(`${peer.name} forecasts ${answer}, we ${expected}: it is not the same model`);
    const theirs = await load(running, peer.path, bodies[peer.body]);
    const ratio = Number((own.requestsPerSecond / theirs.requestsPerSecond).toFixed(1));
    print(`peers.${peer.name}`, { route: peer.path, ratio, ...theirs, versions });
  } finally {
    await running.stop();
  }
}

await home.backends.close();
rmSync(folder, { recursive: true, force: true });
