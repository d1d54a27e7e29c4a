import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { LoadSummary } from "@flts/testing/load/outcome";
import { type Replica, TICKS_PER_SECOND } from "./replica.ts";

/** One figure, as one line of JSON. */
export const print = (name: string, fields: object): void => console.log(JSON.stringify({ name, ...fields }));

interface Costs {
  /** CPU microseconds of a request on either side: they share the cores. */
  readonly replicaCpuUs: number;
  readonly generatorCpuUs: number;
  /** Of the cores' time, what the hypervisor gave to others meanwhile: a request that it falls on waits for milliseconds. */
  readonly stolenShare: number;
}

/** Runs a load and adds what it cost. */
export async function withCosts(
  replica: Replica,
  run: () => Promise<LoadSummary>,
): Promise<LoadSummary & Costs> {
  const [cpu, own, stolen, begun] = [
    replica.cpuSeconds(),
    process.cpuUsage(),
    stolenSeconds(),
    performance.now(),
  ];
  const summary = await run();
  const coreSeconds = ((performance.now() - begun) / 1000) * availableParallelism();
  const { user, system } = process.cpuUsage(own);
  const requests = Object.values(summary.byStatus).reduce((sum, count) => sum + count, 0);
  return {
    ...summary,
    replicaCpuUs: Math.round(((replica.cpuSeconds() - cpu) * 1e6) / requests),
    generatorCpuUs: Math.round((user + system) / requests),
    stolenShare: Number(((stolenSeconds() - stolen) / coreSeconds).toFixed(3)),
  };
}

/** Of `/proc/stat`'s first line, after its name. */
const STOLEN_FIELD = 7;

/** Since the machine's start, of all cores; Linux only: elsewhere nothing is said. */
function stolenSeconds(): number {
  try {
    const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
    return Number(line.split(/ +/).slice(1)[STOLEN_FIELD] ?? 0) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
