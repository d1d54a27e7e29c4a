/**
 * Times an epoch of the default networks beside PyTorch, on random data of the shape of the real training file, and prints
 * a line of JSON for each cell and number of threads.
 *
 *     FLTS_PYTHON=venv/bin/python pnpm bench:train [--cells lstm,gru] [--threads 1,2] [--rounds 5]
 *
 * Ours and PyTorch's epochs alternate, and each figure is the smallest of all rounds: noise only ever adds.
 */
import { parseArgs } from "node:util";
import { type CellName, recurrentNetwork } from "../src/networks/recurrent.ts";
import { flatWeights, initialWeights } from "../src/networks/weights.ts";
import { randomStream, shuffle } from "../src/random.ts";
import { openTraining } from "../src/training/training-session.ts";
import { windowStarts } from "../src/training/windows.ts";
import { type Peer, startPeer, type Timing } from "./peer.ts";

const workload = { rows: 15_927, features: 17, targets: 1, batch: 64, window: 10, horizon: 1, clipNorm: 1 };
const architecture = { features: 17, hiddenSize: 128, numLayers: 2, outputs: 1 };
const learningRate = 1e-4;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cells: { type: "string", default: "lstm,gru" },
      threads: { type: "string", default: "1" },
      rounds: { type: "string", default: "3" },
    },
  });
  for (const cell of values.cells.split(",")) {
    if (cell !== "lstm" && cell !== "gru") throw new Error(`--cells ${cell}: there are lstm and gru`);
    for (const threads of values.threads.split(",").map(Number))
      console.log(JSON.stringify(await compare(cell, threads, Number(values.rounds))));
  }
}

async function compare(cell: CellName, threads: number, rounds: number): Promise<Record<string, unknown>> {
  const ours = await prepare(cell, threads);
  const peer = await startPeer(process.env["FLTS_PYTHON"], cell, threads);
  const timings: Timing[] = [];
  const peerTimings: Timing[] = [];
  for (let round = 0; round < rounds; round += 1) {
    timings.push(await ours.epoch());
    if (peer) peerTimings.push(await peer.epoch());
  }
  await ours.close();
  peer?.close();
  return {
    name: `train.${cell}.epoch`,
    threads,
    rounds,
    ...best(timings),
    ...beside(peer, best(timings), peerTimings),
  };
}

async function prepare(
  cell: CellName,
  threads: number,
): Promise<{ epoch(): Promise<Timing>; close(): Promise<void> }> {
  const random = randomStream("bench");
  const network = recurrentNetwork({ cell, ...architecture });
  const features = Float32Array.from({ length: workload.rows * workload.features }, random);
  const targets = Float32Array.from(
    { length: workload.rows },
    (_, row) => features[row * workload.features] ?? 0,
  );
  const initial = flatWeights(initialWeights(network.parameters, random));
  const session = await openTraining(network, workload, { features, targets }, initial, { threads });
  const starts = windowStarts({ start: 0, end: workload.rows }, workload.window, workload.horizon);
  return {
    async epoch() {
      const [began, cpuBegan] = [performance.now(), process.cpuUsage()];
      shuffle(starts, random);
      for (let first = 0; first < starts.length; first += workload.batch)
        await session.step(starts.subarray(first, first + workload.batch), learningRate);
      const { user, system } = process.cpuUsage(cpuBegan);
      return { seconds: (performance.now() - began) / 1e3, cpuSeconds: (user + system) / 1e6 };
    },
    close: () => session.close(),
  };
}

function best(timings: readonly Timing[]): Timing {
  const smallest = (field: keyof Timing): number =>
    rounded(Math.min(...timings.map((timing) => timing[field])));
  return { seconds: smallest("seconds"), cpuSeconds: smallest("cpuSeconds") };
}

function beside(peer: Peer | undefined, ours: Timing, timings: readonly Timing[]): Record<string, unknown> {
  if (!peer) return { peer: "none: PyTorch is not installed; FLTS_PYTHON names a Python that has it" };
  const { seconds, cpuSeconds } = best(timings);
  return {
    peer: `torch ${peer.version}`,
    peerSeconds: seconds,
    peerCpuSeconds: cpuSeconds,
    ratio: rounded(ours.seconds / seconds),
    cpuRatio: rounded(ours.cpuSeconds / cpuSeconds),
  };
}

const rounded = (value: number): number => Math.round(value * 1e3) / 1e3;

await main();
