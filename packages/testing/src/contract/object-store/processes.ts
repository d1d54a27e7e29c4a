import { afterEach, describe, expect, test } from "vitest";
import { type Peer, startPeer } from "../peer.ts";
import { create, increment } from "../store-tasks.ts";
import { keysOf, read, text } from "./probes.ts";
import type { StoreSuite } from "./suite.ts";

export function processes(suite: StoreSuite): void {
  describe("several processes", () => {
    const peers: Peer[] = [];
    const start = (task: string, input: unknown): Peer => {
      if (!suite.opener) throw new Error("The harness does not say how other processes open the store");
      const peer = startPeer({ opener: suite.opener, task, input });
      peers.push(peer);
      return peer;
    };
    afterEach(async () => {
      await Promise.all(peers.splice(0).map((peer) => peer.signal("SIGKILL")));
    });

    test("lose none of 400 increments made by eight of them", async () => {
      await suite.store.put(suite.at("counter"), text("0"));
      const workers = Array.from({ length: 8 }, () =>
        start("store/increment", { ref: suite.at("counter"), times: 50 }),
      );
      for (const worker of workers) expect(await worker.report<number>()).toBeGreaterThanOrEqual(0);
      expect(read(await suite.store.get(suite.at("counter")))).toBe("400");
    });

    test("have one winner among eight that create at once", async () => {
      const racers = Array.from({ length: 8 }, (_, index) =>
        start("store/create", { ref: suite.at("race"), text: `racer ${index}` }),
      );
      for (const racer of racers) await racer.report();
      for (const racer of racers) void racer.end();
      const won = await Promise.all(racers.map((racer) => racer.report<boolean>()));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(read(await suite.store.get(suite.at("race")))).toBe(`racer ${won.indexOf(true)}`);
    });

    test("never show what a writer had half written when it was killed", async () => {
      await suite.store.put(suite.at("replaced"), text("before"));
      for (const key of ["created", "replaced"]) {
        const writer = start("store/endless-body", { ref: suite.at(key) });
        await writer.report();
        await writer.signal("SIGKILL");
      }
      expect(await suite.store.get(suite.at("created"))).toBeNull();
      expect(read(await suite.store.get(suite.at("replaced")))).toBe("before");
      expect(await keysOf(suite.store, suite.bucket)).toStrictEqual(["replaced"]);
      expect(await create(suite.store, suite.at("created"), "after")).toBe(true);
    });

    test("keep every swap that a killed writer was told of", async () => {
      await suite.store.put(suite.at("counter"), text("0"));
      let confirmed = 0;
      for (const reportsBeforeDeath of [1, 4, 9, 2]) {
        const writer = start("store/increment-on", { ref: suite.at("counter") });
        for (let report = 0; report < reportsBeforeDeath; report += 1) confirmed = await writer.report();
        await writer.signal("SIGKILL");
        const present = Number(read(await suite.store.get(suite.at("counter"))));
        expect(present).toBeGreaterThanOrEqual(confirmed);
        expect(await increment(suite.store, suite.at("counter"))).toBe(present + 1);
      }
    });

    test("leave whole objects behind when they are killed at any point", async () => {
      for (let round = 0; round < 6; round += 1) {
        const writer = start("store/churn", { bucket: suite.bucket, text: "churned" });
        await writer.report();
        await new Promise((resolve) => setTimeout(resolve, round * 3));
        await writer.signal("SIGKILL");
        for await (const { key, sizeBytes } of suite.store.list(suite.bucket, "")) {
          expect(sizeBytes).toBe(7);
          expect(read(await suite.store.get(suite.at(key)))?.toLowerCase()).toBe("churned");
        }
        for (const turn of [0, 1, 2]) {
          const ref = suite.at(`churn/${turn}/object`);
          await suite.store.remove(ref);
          expect(await create(suite.store, ref, "CHURNED")).toBe(true);
        }
      }
    });
  });
}
