import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoredMessage } from "@flts/common/ports/message-log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogEngine, type LogEngine } from "../../src/embedded/log-engine.ts";
import { type LogFile, openLogFile } from "../../src/embedded/log-file.ts";
import type { HoldingKey } from "../../src/embedded/log-member.ts";
import { ownIdentity, type ProcessIdentity } from "../../src/embedded/process-identity.ts";

const leaseMs = 600;
const beatMs = 100;
/** A process on another machine, as far as this one can tell: only its lease says whether it lives. */
const elsewhere: ProcessIdentity = { space: "elsewhere", pid: 1 };

/** An engine with a file connection and a record of events of its own, as each process has. */
interface Station {
  readonly engine: LogEngine;
  readonly file: LogFile;
  readonly deliveries: { readonly holding: HoldingKey; readonly message: StoredMessage }[];
  readonly lost: HoldingKey[];
  /** How often it would have woken the others. */
  changes: number;
}

describe("the log engine", () => {
  let folder: string;
  let nowMs: number;
  const stations: Station[] = [];

  const open = (retention = { ageMs: 1000, partitionBytes: 1000 }, process = elsewhere): Station => {
    const file = openLogFile(join(folder, "log.db"));
    const deliveries: Station["deliveries"] = [];
    const lost: HoldingKey[] = [];
    const clock = { now: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };
    const engine = createLogEngine(
      file,
      {
        onDelivery: (_, holding, message) => deliveries.push({ holding, message }),
        onLost: (_, holding) => lost.push(holding),
        onChange: () => {
          station.changes += 1;
        },
      },
      { leaseMs, retention, clock, process },
    );
    const station: Station = { engine, file, deliveries, lost, changes: 0 };
    stations.push(station);
    return station;
  };
  const enter = (station: Station, id: string): void => {
    station.engine.join({ id, group: "g", topics: ["t"], from: "earliest", maxInFlight: null });
    station.engine.wake();
  };
  const publish = (station: Station, key: string, text = key): void => {
    station.engine.publish([{ topic: "t", key, value: Buffer.from(text) }], nowMs);
    station.engine.wake();
  };
  /** Lets time pass: each of the given beats in its turn. */
  const pass = (ms: number, beating: readonly Station[]): void => {
    for (const until = nowMs + ms; nowMs < until; nowMs += beatMs) {
      for (const { engine } of beating) {
        engine.beat();
        engine.wake();
      }
    }
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flts-engine-"));
    nowMs = 1_000_000;
  });
  afterEach(() => {
    for (const { file } of stations.splice(0)) file.close();
    rmSync(folder, { recursive: true });
  });

  test("L1: refuses the commit of a member whose lease ran out while it was silent", () => {
    const [silent, heir] = [open(), open()];
    silent.engine.ensureTopics([{ name: "t", partitions: 1 }]);
    enter(silent, "silent");
    publish(silent, "k");
    enter(heir, "heir");
    expect(heir.deliveries).toHaveLength(0);
    pass(leaseMs + beatMs, [heir]);
    expect(heir.deliveries).toHaveLength(1);
    const [{ holding } = { holding: null }] = silent.deliveries;
    expect(holding && silent.engine.commit("silent", holding, 1n)).toBe(false);
    expect(silent.lost).toStrictEqual([holding]);
    expect(heir.engine.lag("g", ["t"])[0]?.committed).toBeNull();
  });

  test("L2: a member that beats keeps its partitions, however long its handler takes", () => {
    const [busy, other] = [open(), open()];
    busy.engine.ensureTopics([{ name: "t", partitions: 1 }]);
    enter(busy, "busy");
    enter(other, "other");
    publish(busy, "k");
    pass(leaseMs * 10, [busy, other]);
    expect([busy.deliveries.length, other.deliveries.length, busy.lost.length]).toStrictEqual([1, 0, 0]);
  });

  test("a member that comes back gets a share again, and keeps it", () => {
    const [frozen, heir] = [open(), open()];
    heir.engine.ensureTopics([{ name: "t", partitions: 2 }]);
    enter(frozen, "frozen");
    enter(heir, "heir");
    pass(leaseMs + beatMs, [heir]);
    expect(heir.engine.holdings().get("heir")).toBe(2);
    pass(leaseMs * 3, [frozen, heir]);
    expect(heir.engine.holdings().get("heir")).toBe(1);
    expect(frozen.engine.holdings().get("frozen")).toBe(1);
  });

  test("an observer that slept for an hour does not evict the living", () => {
    const [one, two] = [open(), open()];
    one.engine.ensureTopics([{ name: "t", partitions: 2 }]);
    enter(one, "one");
    enter(two, "two");
    pass(beatMs * 2, [one, two]);
    nowMs += 3_600_000;
    two.engine.beat();
    pass(beatMs * 2, [one, two]);
    expect([one.lost, two.lost]).toStrictEqual([[], []]);
  });

  test("a process that is certainly gone loses its partitions at once", () => {
    const gone = open(undefined, { ...ownIdentity(), pid: 2 ** 22 + 1 });
    gone.engine.ensureTopics([{ name: "t", partitions: 1 }]);
    enter(gone, "gone");
    publish(gone, "k");
    const heir = open(undefined, ownIdentity());
    enter(heir, "heir");
    expect(heir.deliveries).toHaveLength(1);
  });

  test("L3: a partition is given away only after its handler has settled", () => {
    const [owner, newcomer] = [open(), open()];
    owner.engine.ensureTopics([{ name: "t", partitions: 2 }]);
    enter(owner, "owner");
    for (const key of ["a", "b", "c", "d"]) publish(owner, key);
    expect(owner.deliveries).toHaveLength(2);
    enter(newcomer, "newcomer");
    pass(leaseMs, [owner, newcomer]);
    expect(newcomer.deliveries).toHaveLength(0);
    for (const { holding, message } of owner.deliveries.slice(0, 2)) {
      expect(owner.engine.commit("owner", holding, message.offset + 1n)).toBe(true);
      owner.engine.settle("owner", holding);
    }
    owner.engine.wake();
    newcomer.engine.wake();
    expect([...owner.engine.holdings(), ...newcomer.engine.holdings()]).toStrictEqual([
      ["owner", 1],
      ["newcomer", 1],
    ]);
    expect(owner.lost).toStrictEqual([]);
  });

  test("L4: waking writes nothing when nothing has changed, and beats wake nobody", () => {
    const [one, two] = [open(), open()];
    one.engine.ensureTopics([{ name: "t", partitions: 3 }]);
    enter(one, "one");
    enter(two, "two");
    one.engine.wake();
    two.engine.wake();
    const before = one.file.dataVersion();
    const told = two.changes;
    for (let turn = 0; turn < 5; turn += 1) two.engine.wake();
    expect(one.file.dataVersion()).toBe(before);
    pass(leaseMs, [one, two]);
    expect(two.changes).toBe(told);
  });

  test("messages are kept for their time, and the rest is delivered from where it begins", () => {
    const station = open();
    station.engine.ensureTopics([
      { name: "t", partitions: 1 },
      { name: "long", partitions: 1, retentionMs: 100_000 },
    ]);
    publish(station, "k", "old");
    station.engine.publish([{ topic: "long", key: "k", value: Buffer.from("kept") }], nowMs);
    nowMs += 1001;
    publish(station, "k", "new");
    while (station.engine.sweep());
    expect(station.engine.page("long", 0, 0n)).toHaveLength(1);
    enter(station, "reader");
    expect(station.deliveries.map(({ message }) => [message.offset, String(message.value)])).toHaveLength(1);
    expect(station.deliveries[0]?.message.offset).toBe(1n);
    expect(station.engine.lag("g", ["t"])).toStrictEqual([
      { topic: "t", partition: 0, committed: null, end: 2n },
    ]);
  });

  test("a partition keeps no more bytes than it may, the newest ones", () => {
    const station = open({ ageMs: 1_000_000, partitionBytes: 1000 });
    station.engine.ensureTopics([{ name: "t", partitions: 1 }]);
    for (let number = 0; number < 30; number += 1) publish(station, "k", "x".repeat(99));
    while (station.engine.sweep());
    expect(station.engine.page("t", 0, 0n).map(({ offset }) => Number(offset))).toStrictEqual(
      Array.from({ length: 10 }, (_, index) => 20 + index),
    );
    publish(station, "k", "one more");
    expect(station.engine.page("t", 0, 30n)).toHaveLength(1);
  });
});
