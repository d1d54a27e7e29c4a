import type { MessageLog } from "@flts/common/ports/message-log";
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { delivery } from "./message-log/delivery.ts";
import { groups } from "./message-log/groups.ts";
import { positions } from "./message-log/positions.ts";
import { processes } from "./message-log/processes.ts";
import { publishing } from "./message-log/publishing.ts";
import type { LogCapabilities, LogHarness, LogSuite } from "./message-log/suite.ts";
import type { Opener } from "./peer.ts";

/** What every MessageLog promises. `open` brings a log; the suite makes topics and groups of its own in it. */
export function messageLogContract(
  name: string,
  open: () => Promise<LogHarness>,
  capabilities: LogCapabilities,
): void {
  describe(`message log contract: ${name}`, () => {
    let harness: LogHarness;
    const run = Date.now().toString(36);
    let topics = 0;
    const stops: (() => Promise<void>)[] = [];

    const suite: LogSuite = {
      get log(): MessageLog {
        return harness.log;
      },
      get opener(): Opener | undefined {
        return harness.opener;
      },
      get topic(): string {
        return `contract-${run}-${topics}`;
      },
      capabilities,
      group: (group) => `${suite.topic}-${group}`,
      onTestEnd: (stop) => stops.push(stop),
    };

    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(async () => {
      topics += 1;
      await suite.log.ensureTopics([{ name: suite.topic, partitions: 3 }]);
    });
    afterEach(async () => {
      await Promise.all(stops.splice(0).map((stop) => stop()));
    });

    publishing(suite);
    groups(suite);
    positions(suite);
    delivery(suite);
    if (capabilities.sharedByProcesses) processes(suite);
  });
}
