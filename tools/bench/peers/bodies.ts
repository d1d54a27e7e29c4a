import type { Artifact } from "@flts/families/artifact";
import { loadModel } from "@flts/families/model";
import { lastWindow } from "@flts/forecasting/recursive";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { type BenchStation, historyOf } from "../predict/station.ts";
import type { Peer } from "./peer.ts";

/** The same questions in every peer's own words. */
export type Bodies = Readonly<Record<Peer["body"], readonly string[]>>;

export async function bodiesOf(station: BenchStation, artifact: Artifact, count: number): Promise<Bodies> {
  const { forecaster, close } = await loadModel(artifact);
  const { window: length, columns } = forecaster;
  const bodies: Record<Peer["body"], string[]> = { predict: [], oip: [], inputs: [], window: [] };
  for (let request = 0; request < count; request++) {
    const history = historyOf(station, request);
    const cells = [...lastWindow(forecaster, history)];
    const window = [
      Array.from({ length }, (_, row) => cells.slice(row * columns.length, (row + 1) * columns.length)),
    ];
    const data = {
      ts: Array.from(history.timesMs, (timeMs) => formatTimestamp(timeMs)),
      ...Object.fromEntries(history.columns.map((name, index) => [name, [...history.values[index]!]])),
    };
    const tensor = { name: "window", datatype: "FP64", shape: [1, length, columns.length], data: cells };
    bodies.predict.push(JSON.stringify({ data }));
    bodies.oip.push(JSON.stringify({ inputs: [tensor] }));
    bodies.inputs.push(JSON.stringify({ inputs: { window } }));
    bodies.window.push(JSON.stringify({ window }));
  }
  await close();
  return bodies;
}
