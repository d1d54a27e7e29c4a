import { inferenceData, modelSelected, modelTraining, trainingData } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import { emit } from "@flts/common/contracts/topic";
import type { StoredMessage } from "@flts/common/ports/message-log";
import {
  DEAD_LETTER_MAX_BYTES,
  type DeadLetter,
  deadLetter,
  deadLetterTopic,
} from "@flts/common/stage/dead-letter";
import { toMessage } from "@flts/common/stage/runner";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { audit, keysBelow } from "./audit.ts";
import { malformed, poisons } from "./poison.ts";
import { openServerSite, type ServerSite } from "./server-site.ts";
import type { Supervised } from "./supervisor.ts";

/** Messages that come twice, and messages that nobody can handle, on every topic that a service consumes. */

let site: ServerSite;
let services: readonly Supervised[];
/** As training-data, for a trainer of its own: it takes messages of ten megabytes. */
let wide: string;
/** As inference-data, without the claims of stations that have no model yet, which are waited for. */
let truths: string;
/** The replica's station. */
let own: string;
beforeAll(async () => {
  site = await openServerSite();
  wide = `claims-${site.station()}`;
  truths = `truths-${site.station()}`;
  own = site.station();
  await site.backends.log.ensureTopics(
    [wide, truths].flatMap((name) => [
      { name, partitions: 1, maxMessageBytes: 12 * 1024 ** 2 },
      { name: deadLetterTopic(name), partitions: 1, maxMessageBytes: DEAD_LETTER_MAX_BYTES },
    ]),
  );
  services = [
    site.supervise("train"),
    site.supervise("train", { CONSUMER_TOPIC: wide, CONSUMER_GROUP_ID: wide }),
    site.supervise("eval"),
    site.supervise("inference", {
      IDENTIFIER: own,
      POD_NAME: own,
      CONSUMER_TOPIC_0: truths,
      CONSUMER_GROUP_ID: truths,
    }),
  ];
  await Promise.all(services.map((service) => service.ready()));
}, 240_000);
afterAll(() => site?.close(), 60_000);

const showLines = (): void =>
  onTestFailed(() => {
    for (const line of services.flatMap((service) => service.lines().slice(-40))) console.error(line);
  });

async function messagesOf(topic: string): Promise<readonly StoredMessage[]> {
  const found: StoredMessage[] = [];
  for await (const message of site.backends.log.browse(topic)) found.push(message);
  return found;
}

test("every message comes twice, and once more at the end: one result of each", async () => {
  showLines();
  const stations = [site.station(), site.station()];
  const claims = stations.map((station) => toMessage(emit(trainingData, site.claimOf(station))));
  await site.backends.log.publish([...claims, ...claims]);
  await site.settled(stations);
  for (const topic of [trainingData.name, modelTraining.name, modelSelected.name]) {
    const ours = (await messagesOf(topic)).filter(({ value }) =>
      stations.some((station) => Buffer.from(value).includes(`"${station}"`)),
    );
    expect(ours.length).toBeGreaterThanOrEqual(stations.length);
    await site.backends.log.publish(ours.map(({ key, value, headers }) => ({ topic, key, value, headers })));
  }
  await site.settled(stations);
  await audit(site.backends, stations);
});

test("poison of every sort on every topic is dead-lettered, whole and with its reason, and what comes after it is handled", async () => {
  showLines();
  // Inference looks at a claim once its station has a model.
  await site.claim(own);
  await site.settled([own]);
  const topicOf = new Map<string, string>([
    [trainingData.name, wide],
    [inferenceData.name, truths],
  ]);
  const sent: Sent[] = [];
  for (const { topic: usual, ...poison } of poisons) {
    const topic = topicOf.get(usual) ?? usual;
    const station = usual === inferenceData.name ? own : site.station();
    const message = { topic, key: `poison/${sent.length}-${own}`, value: await poison.value(site, station) };
    sent.push({ ...message, name: `${poison.name} on ${topic}`, code: poison.code });
    await site.backends.log.publish([message]);
  }
  const good = site.claimOf(site.station());
  await site.backends.log.publish([{ ...toMessage(emit(trainingData, good)), topic: wide }]);
  const isTrained = async (): Promise<boolean> =>
    (await keysBelow(site.backends.store, keys.candidatesOf(good.round!))).length === 1;
  await expect.poll(isTrained, { timeout: 120_000, interval: 250 }).toBe(true);

  const topics = [...new Set(sent.map(({ topic }) => topic))];
  let letters: readonly DeadLetter[] = [];
  const missing = async (): Promise<readonly string[]> => {
    letters = (await Promise.all(topics.map(lettersOn))).flat();
    return sent.filter(({ key }) => !letters.some((letter) => letter.key === key)).map(({ name }) => name);
  };
  await expect.poll(missing, { timeout: 120_000, interval: 500 }).toEqual([]);
  const originals = (await Promise.all(topics.map(messagesOf))).flat();
  for (const one of sent) {
    const [letter, ...others] = letters.filter(({ key }) => key === one.key);
    expect(others, one.name).toEqual([]);
    expect({ name: one.name, ...letter }).toMatchObject({
      name: one.name,
      status: "Failure",
      code: one.code,
      error: expect.stringMatching(/.{10}/),
      topic: one.topic,
    });
    expect(letter!.attempts > 1, one.name).toBe(one.code === "CLAIM_MISSING");
    const original = originals.find(
      ({ topic, partition, offset }) =>
        topic === one.topic && partition === letter!.partition && String(offset) === letter!.offset,
    );
    expect(original?.key, one.name).toBe(one.key);
    const bytes = Buffer.from(letter!.value_base64 ?? "", "base64");
    // What is too large to be carried is where the letter says, and has the digest that it says.
    const carried = letter!.omitted?.sha256 ?? sha256(bytes);
    expect(carried, one.name).toBe(sha256(one.value));
  }
  expect(services.flatMap(({ crashes }) => crashes)).toEqual([]);
});

interface Sent {
  readonly name: string;
  readonly topic: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly code: string;
}

const lettersOn = async (topic: string): Promise<readonly DeadLetter[]> =>
  (await messagesOf(deadLetterTopic(topic))).map(({ value }) =>
    deadLetter.parse(JSON.parse(Buffer.from(value).toString())),
  );

/** Whether the replica has nothing left to hear. */
const isHeard = async (): Promise<boolean> =>
  (await site.backends.log.lag(`inference-promotions-${own}`, [modelSelected.name])).every(
    ({ committed, end }) => committed === null || committed === end,
  );

test("what is no promotion is passed over by replicas: it was only a hint, and one dead letter from each would be no help", async () => {
  showLines();
  for (const { value } of malformed)
    await site.backends.log.publish([{ topic: modelSelected.name, key: own, value: await value(site, own) }]);
  await expect.poll(isHeard, { timeout: 60_000, interval: 250 }).toBe(true);
  expect((await lettersOn(modelSelected.name)).filter(({ key }) => key === own)).toEqual([]);
  expect(services.flatMap(({ crashes }) => crashes)).toEqual([]);
});

test("a message of a newer version is held, not given up: the service waits to be upgraded", async () => {
  showLines();
  const newer = { ...site.claimOf(site.station()), v: 2 };
  const key = `newer/${newer.identifier}`;
  await site.backends.log.publish([{ topic: wide, key, value: Buffer.from(JSON.stringify(newer)) }]);
  const trainer = services[1]!;
  const held = (): boolean =>
    trainer.lines().some((line) => line.includes('"message_held"') && line.includes("EVENT_TOO_NEW"));
  await expect.poll(held, { timeout: 60_000, interval: 100 }).toBe(true);
  const [{ committed, end } = { committed: null, end: 0n }] = await site.backends.log.lag(wide, [wide]);
  expect(end - (committed ?? 0n)).toBe(1n);
  const letters = await messagesOf(deadLetterTopic(wide));
  expect(letters.filter((letter) => Buffer.from(letter.value).includes(newer.identifier))).toEqual([]);
});
