import type { MessageLog } from "@flts/common/ports/message-log";
import type { Opener } from "../peer.ts";

/** A log as the suite meets it. */
export interface LogHarness {
  readonly log: MessageLog;
  /** How other processes open the same log; needed with `sharedByProcesses`. */
  readonly opener?: Opener;
  close(): Promise<void>;
}

export interface LogCapabilities {
  /** Other processes can open the log. */
  readonly sharedByProcesses: boolean;
  /** How long a silent member keeps its partitions, as the harness has configured it. */
  readonly leaseMs: number;
  /** How long a test waits for what must happen: joining, rebalancing, a lease that runs out. */
  readonly patienceMs: number;
}

/** What the parts of the suite share: the log, and a topic and groups that each test has for itself. */
export interface LogSuite {
  readonly log: MessageLog;
  readonly opener: Opener | undefined;
  readonly capabilities: LogCapabilities;
  /** A topic of three partitions. */
  readonly topic: string;
  /** The name of a group of this test. */
  group(name: string): string;
  /** Stops a consumer when the test is over, if it still runs. */
  onTestEnd(stop: () => Promise<void>): void;
}
