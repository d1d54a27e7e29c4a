import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../../src/contracts/identity.ts";
import { buckets, keys } from "../../src/contracts/layout.ts";
import { collectGarbage } from "../../src/housekeeping/collect-garbage.ts";
import { deadLetterOf } from "../../src/stage/dead-letter.ts";
import { DAY_MS, type GarbageWorld, GRACE_MS, makeWorld, never, policy } from "./garbage-world.ts";

/** A store as years of work leave it, in rounds; each object by what it is, so that what must stay can be said without looking at how it is found. */

const HOUR_MS = 3_600_000;
const stations = ["", "north"] as const;

interface Round {
  readonly station: (typeof stations)[number];
  /** Families that trained on it; the first one is the one that is promoted, if any is. */
  readonly families: number;
  readonly isYoung: boolean;
  readonly isClaimed: boolean;
  readonly isDead: boolean;
  readonly isPresent: boolean;
  readonly isPromoted: boolean;
}

const anyRound: fc.Arbitrary<Round> = fc.record({
  station: fc.constantFrom(...stations),
  families: fc.integer({ min: 0, max: 2 }),
  isYoung: fc.boolean(),
  isClaimed: fc.boolean(),
  isDead: fc.boolean(),
  isPresent: fc.boolean(),
  isPromoted: fc.boolean(),
});

/** What a round left in the store. */
interface Laid {
  readonly id: string;
  readonly table: string;
  /** Candidates, decisions, and the files of its runs. */
  readonly rest: readonly string[];
  readonly firstRun: string | null;
  readonly claim: Record<string, unknown>;
}

async function lay(
  { put, startRun }: GarbageWorld,
  { station, families }: Round,
  index: number,
): Promise<Laid> {
  const id = sha256(`round ${index}`);
  const digest = sha256(`table ${index}`);
  const key = keys.processedTable(station, digest, "processed_data");
  const table = await put(buckets.processed, key);
  const rest: string[] = [];
  let firstRun: string | null = null;
  for (let family = 0; family < families; family++) {
    const run = await startRun({ work_key: `w${family}` });
    firstRun ??= run;
    for (const file of ["manifest.json", "model.onnx"])
      rest.push(await put(buckets.mlflow, `0/${run}/artifacts/F${family}/${file}`));
    const candidate = keys.candidate(id, `F${family}`, sha256(`${index} ${family}`));
    rest.push(
      await put(buckets.promotion, candidate, { run_id: run, table: { object: key, sha256: digest } }),
    );
  }
  if (families > 0) rest.push(await put(buckets.promotion, keys.decision(id, "d", 1), { round: id }));
  return { id, table, rest, firstRun, claim: { object: key, sha256: digest, round: id } };
}

test("an object that a head, history, live round or pending claim refers to is never swept; all else that is old is", async () => {
  const worlds = fc.record({
    rounds: fc.array(anyRound, { maxLength: 8 }),
    keepEpochs: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(worlds, async ({ rounds, keepEpochs }) => {
      const world = await makeWorld();
      const { clock, log, put, deps, everything } = world;
      const laid = new Map<Round, Laid>();
      const documents: string[] = [];
      const promoted = new Map(stations.map((station): [string, Round[]] => [station, []]));
      const layAll = async (isYoung: boolean): Promise<void> => {
        for (const [index, round] of rounds.entries()) {
          if (round.isYoung !== isYoung) continue;
          const one = await lay(world, round, index);
          laid.set(round, one);
          if (!round.isPromoted || one.firstRun === null) continue;
          const history = promoted.get(round.station)!;
          history.push(round);
          const promotion = { run_id: one.firstRun, round: one.id };
          documents.push(
            await put(buckets.promotion, keys.history(round.station, history.length), promotion),
          );
        }
      };
      await layAll(false);
      await clock.advance(GRACE_MS + DAY_MS);
      await layAll(true);

      const living = new Set<Round>(
        rounds.filter((round) => round.isClaimed || round.isDead || round.isYoung),
      );
      for (const round of rounds) {
        const { claim } = laid.get(round)!;
        const message = { topic: "training-data", key: "k", value: Buffer.from(JSON.stringify(claim)) };
        const stored = { ...message, partition: 0, offset: 0n, headers: {}, publishedAt: 0 };
        if (round.isClaimed) await log.publish([message]);
        if (round.isDead)
          await log.publish([
            deadLetterOf({ stage: "train", message: stored, error: "x", attempts: 1, now: 0 }),
          ]);
      }
      for (const station of stations) {
        const present = rounds.findLast((round) => round.station === station && round.isPresent);
        if (present !== undefined) {
          const { claim, id } = laid.get(present)!;
          const head = { output_object: claim["object"], round: id };
          documents.push(await put(buckets.processed, keys.processedHead(station, "processed_data"), head));
          living.add(present);
        }
        const history = promoted.get(station)!;
        for (const round of history.slice(-keepEpochs)) living.add(round);
        const last = history.at(-1);
        if (last === undefined) continue;
        const { firstRun, id } = laid.get(last)!;
        const head = { model_uri: `runs:/${firstRun}/F0`, round: id };
        documents.push(await put(buckets.promotion, keys.head(station), head));
      }
      const survivors = [
        ...documents,
        ...[...laid].flatMap(([round, { table, rest }]) => (living.has(round) ? [table, ...rest] : [])),
      ];
      const before = await everything();
      const told = await collectGarbage(deps, { ...policy, keepEpochs, dryRun: true }, never);
      expect(await everything()).toEqual(before);
      const { swept } = await collectGarbage(deps, { ...policy, keepEpochs }, never);
      expect(swept).toEqual(told.swept);
      expect(await everything()).toEqual(survivors.toSorted());
      expect((await collectGarbage(deps, { ...policy, keepEpochs }, never)).swept).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("of a long history the last epochs keep their rounds and runs, earlier ones only their document", async () => {
  const world = await makeWorld();
  const round: Round = {
    station: "",
    families: 1,
    isYoung: false,
    isClaimed: false,
    isDead: false,
    isPresent: false,
    isPromoted: true,
  };
  const laid: Laid[] = [];
  for (const index of [1, 2, 3]) {
    const one = await lay(world, round, index);
    const { id, firstRun } = one;
    await world.put(buckets.promotion, keys.history("", index), { round: id, run_id: firstRun });
    laid.push(one);
  }
  await world.clock.advance(GRACE_MS + 1);
  await collectGarbage(world.deps, policy, never);
  const [first, second, third] = laid;
  const after = await world.everything();
  expect(after).toEqual(
    expect.arrayContaining([second!.table, ...second!.rest, third!.table, ...third!.rest]),
  );
  expect(after).toContain(`${buckets.promotion}/${keys.history("", 1)}`);
  for (const gone of [first!.table, ...first!.rest]) expect(after).not.toContain(gone);
  expect((await world.tracker.getRun(first!.firstRun!))?.tags).toHaveProperty("artifacts_swept");
});

test("what is not ours, or of no kind that can go, stays however old it is", async () => {
  const { clock, put, startRun, deps, everything } = await makeWorld();
  const theirs = await startRun({ team: "another" });
  const stay = [
    await put(buckets.dataset, "PobleSec.csv"),
    await put(buckets.processed, "processed_data.parquet"),
    await put(buckets.processed, `${"a".repeat(64)}/notes.txt`),
    await put(buckets.mlflow, `0/${theirs}/artifacts/model.pkl`),
    await put(buckets.mlflow, `0/${"b".repeat(32)}/artifacts/model.pkl`),
    await put(buckets.promotion, "notes/old.json"),
    await put(buckets.inferenceLogs, "default/20250101/results.jsonl"),
  ];
  await clock.advance(1_000 * DAY_MS);
  expect((await collectGarbage(deps, policy, never)).swept).toEqual([]);
  expect(await everything()).toEqual(stay.toSorted());
});

test("a pointer in the reference's envelope, or laid by hand, keeps the run that it names", async () => {
  const world = await makeWorld();
  const { clock, store, startRun, put, deps, everything } = world;
  const run = await startRun({ work_key: "w" });
  const file = await put(buckets.mlflow, `0/${run}/artifacts/LSTM/model.onnx`);
  const envelope = `--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n{"model_uri":"runs:/${run}/LSTM"}\r\n--b--`;
  await store.put({ bucket: buckets.promotion, key: keys.rootHead }, Buffer.from(envelope));
  await clock.advance(1_000 * DAY_MS);
  await collectGarbage(deps, policy, never);
  expect(await everything()).toContain(file);
});

test("leases go when they are old, notes of redrives only after the dead letters", async () => {
  const { clock, put, deps, everything } = await makeWorld();
  const lease = await put(buckets.promotion, keys.lease("w"));
  const note = await put(buckets.promotion, keys.redrive("DLQ-training-data", 0, "7"));
  await clock.advance(GRACE_MS + 1);
  await collectGarbage(deps, policy, never);
  expect(await everything()).toEqual([note]);
  expect(lease).toContain("_leases/");
  await clock.advance(30 * DAY_MS);
  await collectGarbage(deps, policy, never);
  expect(await everything()).toEqual([]);
});

test("a probe that its process did not live to remove goes after an hour, on the next look", async () => {
  const { clock, put, deps, everything } = await makeWorld();
  const old = await put(buckets.promotion, keys.probe("conditional-writes-1"));
  await clock.advance(HOUR_MS + 1);
  const young = await put(buckets.promotion, keys.probe("conditional-writes-2"));
  const { swept } = await collectGarbage(deps, policy, never);
  expect(swept.map(({ bucket, key }) => `${bucket}/${key}`)).toEqual([old]);
  expect(await everything()).toEqual([young]);
});
