/**
 * Our engine on the workload of train.ts: for each line on standard input one epoch, answered by a line of JSON.
 *
 *     node --conditions=source epochs.ts lstm 1        # cell, threads
 *
 * The first line printed names the version. Data are random numbers of the shape of the real training file.
 */
import { createInterface } from "node:readline";
import { env as onnxruntime } from "onnxruntime-node";
import { type CellName, recurrentNetwork } from "../src/networks/recurrent.ts";
import { flatWeights, initialWeights } from "../src/networks/weights.ts";
import { randomStream, shuffle } from "../src/random.ts";
import { openTraining } from "../src/training/training-session.ts";
import { windowStarts } from "../src/training/windows.ts";
import type { Timing } from "./contestant.ts";

const workload = { rows: 15_927, features: 17, targets: 1, batch: 64, window: 10, horizon: 1, clipNorm: 1 };
const architecture = { features: 17, hiddenSize: 128, numLayers: 2, outputs: 1 };
const learningRate = 1e-4;

async function main(cell: CellName, threads: number): Promise<void> {
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
  const epoch = async (): Promise<Timing> => {
    const [began, cpuBegan] = [performance.now(), process.cpuUsage()];
    shuffle(starts, random);
    for (let first = 0; first < starts.length; first += workload.batch)
      await session.step(starts.subarray(first, first + workload.batch), learningRate);
    const { user, system } = process.cpuUsage(cpuBegan);
    return { seconds: (performance.now() - began) / 1e3, cpuSeconds: (user + system) / 1e6 };
  };
  console.log(JSON.stringify({ version: onnxruntime.versions.node }));
  for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await epoch()));
  await session.close();
}

const [cell, threads] = process.argv.slice(2);
await main(cell as CellName, Number(threads));
