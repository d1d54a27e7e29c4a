import { afterEach, describe, expect, test } from "vitest";
import type { ConsumeOrder, PublishOrder } from "../log-tasks.ts";
import { type Peer, startPeer } from "../peer.ts";
import { eventually, keysOfPartitions, publish, startReader, textOf } from "./reader.ts";
import type { LogSuite } from "./suite.ts";

export function processes(suite: LogSuite): void {
  describe("several processes", () => {
    const peers: Peer[] = [];
    const start = (task: string, input: ConsumeOrder | PublishOrder): Peer => {
      if (!suite.opener) throw new Error("The harness does not say how other processes open the log");
      const peer = startPeer({ opener: suite.opener, task, input });
      peers.push(peer);
      return peer;
    };
    const join = async (task: string): Promise<Peer> => {
      const peer = start(task, { group: suite.group("g"), topics: [suite.topic], from: "earliest" });
      expect(await peer.report()).toBe("joined");
      return peer;
    };
    afterEach(async () => {
      await Promise.all(peers.splice(0).map((peer) => peer.signal("SIGKILL")));
    });

    test("share a group: each message is handled once", async () => {
      const own = await startReader(suite, "g");
      const [one, two] = [await join("log/handle"), await join("log/handle")];
      await eventually(suite, () => own.consumer.health().partitions === 1);
      const keys = await keysOfPartitions(suite);
      for (const key of keys)
        await publish(suite, key, ...Array.from({ length: 20 }, (_, n) => `${key}/${n}`));
      await own.until(20);
      const reports = [];
      for (let count = 0; count < 20; count += 1) reports.push(await one.report(), await two.report());
      const all = new Set([...own.texts(), ...reports]);
      expect(all).toHaveProperty("size", 60);
      expect(own.seen).toHaveLength(20);
    });

    test("pass a message on when the process that handles it is killed", async () => {
      const doomed = await join("log/hold");
      await publish(suite, "k", "1", "2");
      expect(await doomed.report()).toBe("1");
      const heir = await startReader(suite, "g");
      await doomed.signal("SIGKILL");
      await heir.until(2);
      expect(heir.texts()).toStrictEqual(["1", "2"]);
    });

    test("pick up after a restart what was in flight when all were killed", async () => {
      const first = await join("log/hold");
      await publish(suite, "k", "1");
      expect(await first.report()).toBe("1");
      await first.signal("SIGKILL");
      const second = await join("log/handle");
      expect(await second.report()).toBe("1");
    });

    test("refuse the commit of one that was frozen while its lease ran out", async () => {
      const frozen = await join("log/hold");
      await publish(suite, "k", "1");
      expect(await frozen.report()).toBe("1");
      await frozen.signal("SIGSTOP");
      const heir = await startReader(suite, "g");
      await heir.until(1);
      await frozen.signal("SIGCONT");
      // Its signal aborts, and its commit fails; then it is a member again.
      expect(await frozen.report()).toBe("OWNERSHIP_LOST");
      await eventually(suite, () => heir.consumer.health().partitions < 3);
      expect(heir.texts()).toStrictEqual(["1"]);
    });

    test("publish at once without losing or reordering", async () => {
      const publishers = ["a", "b", "c", "d"].map((key) =>
        start("log/publish", { topic: suite.topic, key, count: 100 }),
      );
      const reader = await startReader(suite, "g");
      for (const publisher of publishers) expect(await publisher.report()).toBe("published");
      await reader.until(400);
      for (const key of ["a", "b", "c", "d"]) {
        const own = reader.seen.filter((message) => message.key === key).map(textOf);
        expect(own).toStrictEqual(Array.from({ length: 100 }, (_, number) => `${key}-${number}`));
      }
    });

    test("keep what a killed publisher was told of", async () => {
      const publisher = start("log/publish-on", { topic: suite.topic, key: "k", count: 0 });
      let confirmed = -1;
      while (confirmed < 20) confirmed = await publisher.report<number>();
      await publisher.signal("SIGKILL");
      const reader = await startReader(suite, "g");
      await reader.until(confirmed + 1);
      expect(reader.texts().slice(0, confirmed + 1)).toStrictEqual(
        Array.from({ length: confirmed + 1 }, (_, number) => String(number)),
      );
    });
  });
}
