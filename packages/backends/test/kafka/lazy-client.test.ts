import { FltsError } from "@flts/common/contracts/errors";
import { expectCode } from "@flts/testing/contract/expect-code";
import { expect, test } from "vitest";
import { createLazyClient } from "../../src/kafka/lazy-client.ts";

/** A kind of client that says how many of it were made, and how many are connected. */
function createKind(connecting: () => Promise<void> = async () => {}) {
  const counts = { made: 0, connected: 0 };
  const make = () => {
    counts.made += 1;
    return {
      number: counts.made,
      connect: async () => {
        await connecting();
        counts.connected += 1;
      },
      disconnect: async () => {
        counts.connected -= 1;
      },
    };
  };
  return { counts, make };
}

test("a client is connected when it is first needed, and used again", async () => {
  const { counts, make } = createKind();
  const lazy = createLazyClient(make);
  expect(counts.made).toBe(0);
  const numbers = [
    await lazy.use("count", async ({ number }) => number),
    await lazy.use("count", async ({ number }) => number),
  ];
  expect(numbers).toEqual([1, 1]);
  await lazy.close();
  expect(counts).toEqual({ made: 1, connected: 0 });
});

test("one that failed is given up, and our own refusals are no failure of it", async () => {
  const { counts, make } = createKind();
  const lazy = createLazyClient(make);
  await expectCode(
    "TOPIC_MISSING",
    lazy.use("look", () => Promise.reject(new FltsError("TOPIC_MISSING", "none"))),
  );
  expect(counts).toEqual({ made: 1, connected: 1 });
  await expectCode(
    "LOG_UNAVAILABLE",
    lazy.use("look", () => Promise.reject(new Error("socket closed"))),
  );
  expect(counts).toEqual({ made: 1, connected: 0 });
  expect(await lazy.use("count", async ({ number }) => number)).toBe(2);
});

test("work is done one piece after the other, also after one that failed", async () => {
  const lazy = createLazyClient(createKind().make);
  const order: string[] = [];
  const piece = (name: string, error?: Error) =>
    lazy.use(name, async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      if (error) throw error;
    });
  await Promise.allSettled([piece("a", new Error("down")), piece("b")]);
  expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("closed while it connects, it leaves no connection behind", async () => {
  const connecting = Promise.withResolvers<void>();
  const { counts, make } = createKind(() => connecting.promise);
  const lazy = createLazyClient(make);
  const work = lazy.use("work", async () => "done");
  await Promise.resolve();
  await lazy.close();
  connecting.resolve();
  await expectCode("LOG_UNAVAILABLE", work);
  expect(counts).toEqual({ made: 1, connected: 0 });
  await expectCode(
    "LOG_UNAVAILABLE",
    lazy.use("work", async () => "done"),
  );
  expect(counts.made).toBe(1);
});
