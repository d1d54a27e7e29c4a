import { existsSync } from "node:fs";
import { familyNames } from "@flts/families/registry";
import { openHome } from "../home.ts";
import { shortId } from "../pipeline/narrate.ts";
import { type RunFile, readRunFile } from "../pipeline/run-file.ts";
import { reportStatus, type StatusReport } from "../status-report.ts";
import { count, duration, shortTime } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";

/** `flts status`: what a home holds, what runs in it, and what is still to be done. */
export async function status(home: string, output: Output): Promise<void> {
  if (!existsSync(home)) {
    output.say(`${home} does not exist: nothing was run here yet. 'pnpm demo' makes a first round.`);
    return output.result({ home, exists: false });
  }
  const running = await readRunFile(home, isAlive);
  const backends = await openHome(home);
  let report: StatusReport;
  try {
    report = await reportStatus(backends, familyNames);
  } finally {
    await backends.close();
  }
  output.say(...statusText(home, running, report, output));
  output.result({ home, exists: true, running, ...report, logs: `${home}/logs` });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function statusText(
  home: string,
  running: RunFile | null,
  { stations, rounds, groups, deadLetters, pending }: StatusReport,
  { style }: Output,
): string[] {
  if (stations.length === 0 && rounds.length === 0)
    return [`Nothing was done in ${home} yet. 'pnpm demo' makes a first round.`, ...pending];
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [style.strong(title), ...lines, ""];
  return [
    ...section(
      "Running",
      running === null ? ["nothing ('pnpm flts up' starts the services)"] : runningLines(running),
    ),
    ...section("Stations", stationTable(stations, style)),
    ...section("Rounds", roundTable(rounds, style)),
    ...section(
      "Messages not yet handled",
      groups.map(({ group, topic, lag }) => `${group.padEnd(16)} ${topic.padEnd(16)} ${lag}`),
    ),
    ...section(
      "Dead letters",
      deadLetters.length === 0
        ? ["none"]
        : deadLetters.map((one) => style.bad(`${one.topic.padEnd(24)} ${one.count}`)),
    ),
    ...section("Pending", pending.length === 0 ? ["nothing"] : pending),
    style.faint(`State lies in ${home}, logs in ${home}/logs.`),
  ];
}

const runningLines = ({ pid, endpoints }: RunFile): string[] => [
  `flts up, process ${pid}`,
  ...endpoints.filter(({ url }) => url !== null).map(({ name, url }) => `${name.padEnd(16)} ${url}`),
];

const stationTable = (stations: StatusReport["stations"], style: Output["style"]): string[] =>
  renderTable(
    [
      { title: "station" },
      { title: "data" },
      { title: "rows", align: "right" },
      { title: "champion" },
      { title: "epoch", align: "right" },
      { title: "verdict" },
      { title: "since" },
      { title: "run" },
    ],
    stations.map(({ identifier, table, champion }) => [
      identifier,
      table?.source ?? "–",
      table === null ? "–" : count(table.rows),
      ...(champion === null
        ? ["none"]
        : [
            champion.lack === null ? champion.family : style.bad(`${champion.family} (gone)`),
            String(champion.epoch),
            champion.verdict,
            shortTime(champion.since),
            shortId(champion.runId),
          ]),
    ]),
    style,
  );

const roundTable = (rounds: StatusReport["rounds"], style: Output["style"]): string[] =>
  renderTable(
    [{ title: "round" }, { title: "station" }, { title: "candidates" }, { title: "decision" }],
    rounds.map(({ round, identifier, candidates, waiting, verdict }) => [
      shortId(round),
      identifier,
      candidates
        .map(({ family, status: result, seconds }) =>
          result === "SUCCESS" ? `${family} (${duration(seconds)})` : style.bad(`${family} failed`),
        )
        .join(", "),
      verdict ?? (waiting === null ? "none yet" : "waits"),
    ]),
    style,
  );
