import type { LogPosition } from "@flts/common/ports/message-log";
import { describe, expect, test } from "vitest";
import { collect } from "../collect.ts";
import { expectCode } from "../expect-code.ts";
import { eventually, keysOfPartitions, publish, startReader } from "./reader.ts";
import type { LogSuite } from "./suite.ts";

export function positions(suite: LogSuite): void {
  const committed = async (): Promise<readonly (bigint | null)[]> =>
    (await suite.log.lag(suite.group("g"), [suite.topic])).map((lag) => lag.committed);
  const seek = (to: LogPosition): Promise<void> => suite.log.seekGroup(suite.group("g"), suite.topic, to);

  describe("moving a group", () => {
    test("back to the earliest message repeats all of them, in all partitions", async () => {
      for (const key of await keysOfPartitions(suite)) await publish(suite, key, "1", "2");
      const first = await startReader(suite, "g");
      await first.until(6);
      await first.consumer.stop();
      await seek("earliest");
      expect(await committed()).toStrictEqual([0n, 0n, 0n]);
      const second = await startReader(suite, "g");
      await second.until(6);
      expect(second.texts().toSorted()).toStrictEqual(first.texts().toSorted());
    });

    test("to the end leaps over what waits, also when the group was not known", async () => {
      const [key = ""] = await keysOfPartitions(suite);
      await publish(suite, key, "1", "2");
      await seek("latest");
      expect(await committed()).toStrictEqual([2n, 0n, 0n]);
      const reader = await startReader(suite, "g");
      await publish(suite, key, "3");
      await reader.until(1);
      expect(reader.texts()).toStrictEqual(["3"]);
    });

    test("to an offset keeps within what each partition has", async () => {
      const [one = "", two = ""] = await keysOfPartitions(suite);
      await publish(suite, one, "1", "2", "3");
      await publish(suite, two, "1");
      await seek({ offset: 2n });
      expect(await committed()).toStrictEqual([2n, 1n, 0n]);
    });

    test("to a time begins with the first message published then or later", async () => {
      const [key = ""] = await keysOfPartitions(suite);
      const publishedAt = async (): Promise<number> =>
        (await collect(suite.log.browse(suite.topic))).at(-1)?.publishedAt ?? Number.NaN;
      await publish(suite, key, "1");
      const first = await publishedAt();
      await seek({ timeMs: first });
      expect(await committed()).toStrictEqual([0n, 0n, 0n]);
      await seek({ timeMs: first + 1 });
      expect(await committed()).toStrictEqual([1n, 0n, 0n]);
    });

    test("is refused while it has members, and for a topic that is missing", async () => {
      await publish(suite, "k", "1");
      const reader = await startReader(suite, "g");
      await reader.until(1);
      await eventually(suite, async () => (await committed()).includes(1n));
      await expectCode("LOG_UNAVAILABLE", seek("earliest"), /members/);
      expect(await committed()).toContain(1n);
      await reader.consumer.stop();
      await seek("earliest");
      expect(await committed()).not.toContain(1n);
      const absent = suite.log.seekGroup(suite.group("g"), "contract-absent", "latest");
      await expectCode("TOPIC_MISSING", absent, /contract-absent/);
    });
  });
}
