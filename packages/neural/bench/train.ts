/**
 * Times an epoch of the default networks beside PyTorch, on random data of the shape of the real training file, and prints
 * a line of JSON for each cell and number of threads.
 *
 *     FLTS_PYTHON=venv/bin/python pnpm bench:train [--cells lstm,gru] [--threads 1,2] [--rounds 5]
 *
 * Each has a process of its own, ours with the environment that trainers give theirs. Our epochs and PyTorch's alternate, and each figure is the smallest of all
 * rounds: noise only ever adds.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { trainingEnvironment } from "../src/training/process-environment.ts";
import { type Contestant, startContestant, type Timing } from "./contestant.ts";

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
    for (const threads of values.threads.split(","))
      console.log(JSON.stringify(await compare(cell, threads, Number(values.rounds))));
  }
}

async function compare(cell: string, threads: string, rounds: number): Promise<Record<string, unknown>> {
  const ours = await startOurs(cell, threads);
  const peer = await startPyTorch(cell, threads);
  const timings: Timing[] = [];
  const peerTimings: Timing[] = [];
  for (let round = 0; round < rounds; round += 1) {
    timings.push(await ours.epoch());
    if (peer) peerTimings.push(await peer.epoch());
  }
  ours.close();
  peer?.close();
  return {
    name: `train.${cell}.epoch`,
    threads: Number(threads),
    rounds,
    ...best(timings),
    ...beside(peer, best(timings), peerTimings),
  };
}

async function startOurs(cell: string, threads: string): Promise<Contestant> {
  const parameters = ["--conditions=source", scriptBeside("epochs.ts"), cell, threads];
  const ours = await startContestant(process.execPath, parameters, trainingEnvironment(process.env));
  if (!ours) throw new Error("the training process ended before its first epoch");
  return ours;
}

async function startPyTorch(cell: string, threads: string): Promise<Contestant | undefined> {
  const python = process.env["FLTS_PYTHON"];
  if (!python) return undefined;
  return startContestant(python, [scriptBeside("torch_epochs.py"), cell, threads], process.env);
}

const scriptBeside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function best(timings: readonly Timing[]): Timing {
  const smallest = (field: keyof Timing): number =>
    rounded(Math.min(...timings.map((timing) => timing[field])));
  return { seconds: smallest("seconds"), cpuSeconds: smallest("cpuSeconds") };
}

function beside(
  peer: Contestant | undefined,
  ours: Timing,
  timings: readonly Timing[],
): Record<string, unknown> {
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
