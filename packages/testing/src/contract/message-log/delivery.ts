import type { Delivery } from "@flts/common/ports/message-log";
import { describe, expect, test } from "vitest";
import { abortOf } from "../abort-of.ts";
import { expectCode } from "../expect-code.ts";
import { eventually, keysOfPartitions, publish, startReader, textOf } from "./reader.ts";
import type { LogSuite } from "./suite.ts";

export function delivery(suite: LogSuite): void {
  describe("delivery", () => {
    test("waits for one message of a partition before it gives the next, other partitions beside it", async () => {
      const keys = await keysOfPartitions(suite);
      const gates = new Gates();
      const reader = await startReader(suite, "g", { handle: gates.handle });
      for (const key of keys) await publish(suite, key, `${key} first`, `${key} second`);
      await reader.until(3);
      expect(reader.texts().every((text) => text.endsWith("first"))).toBe(true);
      gates.open(`${keys[0]} first`);
      await reader.until(4);
      expect(reader.texts()[3]).toBe(`${keys[0]} second`);
      gates.openAll();
      await reader.until(6);
    });

    test("keeps within the bound of deliveries in flight, and serves all partitions in turn", async () => {
      const keys = await keysOfPartitions(suite);
      for (const key of keys) await publish(suite, key, "1", "2", "3", "4");
      let inFlight = 0;
      let most = 0;
      const reader = await startReader(suite, "g", {
        maxInFlight: 2,
        handle: async (message) => {
          inFlight += 1;
          most = Math.max(most, inFlight);
          await message.commit();
          inFlight -= 1;
        },
      });
      await reader.until(12);
      expect(most).toBeLessThanOrEqual(2);
      expect(new Set(reader.seen.map(({ partition }) => partition))).toHaveProperty("size", 3);
    });

    test("is repeated for what was not committed, and holds its partition meanwhile", async () => {
      const [stuck = "", free = ""] = await keysOfPartitions(suite);
      await publish(suite, stuck, "not committed", "behind it");
      const first = await startReader(suite, "g", {
        handle: async (message) => {
          if (message.key === free) await message.commit();
        },
      });
      await first.until(1);
      await publish(suite, free, "1", "2");
      await first.until(3);
      expect(first.texts()).not.toContain("behind it");
      await first.consumer.stop();
      const second = await startReader(suite, "g");
      await second.until(2);
      expect(second.texts()).toStrictEqual(["not committed", "behind it"]);
    });

    test("accepts a commit twice", async () => {
      await publish(suite, "k", "1", "2");
      const reader = await startReader(suite, "g", {
        handle: async (message) => {
          await message.commit();
          await message.commit();
        },
      });
      await reader.until(2);
      expect(reader.texts()).toStrictEqual(["1", "2"]);
    });

    test("goes on to the next message only when the handler has ended, though it committed early", async () => {
      const gates = new Gates();
      await publish(suite, "k", "1", "2");
      const reader = await startReader(suite, "g", {
        handle: async (message) => {
          await message.commit();
          await gates.handle(message);
        },
      });
      await reader.until(1);
      await eventually(suite, async () => {
        const lag = await suite.log.lag(suite.group("g"), [suite.topic]);
        return lag.some(({ committed }) => committed === 1n);
      });
      expect(reader.seen).toHaveLength(1);
      gates.openAll();
      await reader.until(2);
    });

    test("outlasts the lease: a long handler keeps its partition", async () => {
      const { leaseMs } = suite.capabilities;
      const gates = new Gates();
      const commits: string[] = [];
      const handle = async (message: Delivery): Promise<void> => {
        await gates.handle(message);
        commits.push(`${textOf(message)} ${message.signal.aborted ? "aborted" : "kept"}`);
      };
      const one = await startReader(suite, "g", { handle });
      await publish(suite, "k", "long");
      await one.until(1);
      const two = await startReader(suite, "g");
      await new Promise((resolve) => setTimeout(resolve, leaseMs * 2.5));
      expect(one.consumer.health()).toMatchObject({ joined: true });
      expect(one.consumer.health().lastPollAgoMs).toBeLessThan(leaseMs);
      gates.openAll();
      await eventually(suite, () => commits.length === 1);
      expect(commits).toStrictEqual(["long kept"]);
      expect(two.seen).toHaveLength(0);
    });

    test("ends the consumer when a handler breaks, and is repeated for the next member", async () => {
      await publish(suite, "k", "1");
      const broken = await startReader(suite, "g", {
        handle: () => Promise.reject(new Error("a bug")),
      });
      await eventually(suite, () => broken.crashes.length === 1);
      expect(String(broken.crashes[0])).toContain("a bug");
      expect(broken.consumer.health().joined).toBe(false);
      const next = await startReader(suite, "g");
      await next.until(1);
      expect(broken.seen).toHaveLength(1);
    });
  });

  describe("stopping", () => {
    test("aborts what is in flight, waits for it, and leaves what is not committed to the next member", async () => {
      await publish(suite, "k", "1", "2");
      const ended: string[] = [];
      const first = await startReader(suite, "g", {
        handle: async (message) => {
          await abortOf(message.signal);
          ended.push(textOf(message));
        },
      });
      await first.until(1);
      await first.consumer.stop();
      expect(ended).toStrictEqual(["1"]);
      expect(first.consumer.health().joined).toBe(false);
      const second = await startReader(suite, "g");
      await second.until(2);
      expect(second.texts()).toStrictEqual(["1", "2"]);
      expect(first.seen).toHaveLength(1);
    });

    test("lets a handler that is nearly done commit", async () => {
      await publish(suite, "k", "1", "2");
      const first = await startReader(suite, "g", {
        handle: async (message) => {
          await abortOf(message.signal);
          await message.commit();
        },
      });
      await first.until(1);
      await first.consumer.stop();
      const second = await startReader(suite, "g");
      await second.until(1);
      expect(second.texts()).toStrictEqual(["2"]);
    });

    test("takes the right to commit with it", async () => {
      await publish(suite, "k", "1");
      const deliveries: Delivery[] = [];
      const reader = await startReader(suite, "g", {
        handle: async (message) => {
          deliveries.push(message);
        },
      });
      await reader.until(1);
      await reader.consumer.stop();
      await expectCode("OWNERSHIP_LOST", deliveries[0]?.commit() ?? Promise.resolve());
    });

    test("twice is stopping once", async () => {
      const reader = await startReader(suite, "g");
      await Promise.all([reader.consumer.stop(), reader.consumer.stop()]);
      await reader.consumer.stop();
      expect(reader.consumer.health().joined).toBe(false);
    });
  });
}

/** Handlers that wait until they are let through, then commit. */
class Gates {
  readonly #opened = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  #allOpen = false;

  readonly handle = async (message: Delivery): Promise<void> => {
    const text = textOf(message);
    if (!this.#allOpen && !this.#opened.has(text)) {
      await new Promise<void>((resolve) => this.#waiting.set(text, resolve));
    }
    await message.commit();
  };

  open(text: string): void {
    this.#opened.add(text);
    this.#waiting.get(text)?.();
  }

  openAll(): void {
    this.#allOpen = true;
    for (const resolve of this.#waiting.values()) resolve();
  }
}
