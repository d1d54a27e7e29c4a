import type { LoadSummary } from "@flts/testing/load/outcome";
import type { Replica } from "./replica.ts";

/** One figure, as one line of JSON. */
export const print = (name: string, fields: object): void => console.log(JSON.stringify({ name, ...fields }));

/** Runs a load and adds what each request cost, on both sides: they share the cores. */
export async function withCosts(
  replica: Replica,
  run: () => Promise<LoadSummary>,
): Promise<LoadSummary & { readonly replicaCpuUs: number; readonly generatorCpuUs: number }> {
  const [cpu, own] = [replica.cpuSeconds(), process.cpuUsage()];
  const summary = await run();
  const { user, system } = process.cpuUsage(own);
  const requests = Object.values(summary.byStatus).reduce((sum, count) => sum + count, 0);
  return {
    ...summary,
    replicaCpuUs: Math.round(((replica.cpuSeconds() - cpu) * 1e6) / requests),
    generatorCpuUs: Math.round((user + system) / requests),
  };
}
