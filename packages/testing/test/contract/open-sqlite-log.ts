import { createSqliteLog } from "@flts/backends/embedded/sqlite-log";
import { createSystemClock } from "@flts/backends/system-clock";
import type { MessageLog } from "@flts/common/ports/message-log";

export interface Settings {
  readonly file: string;
  readonly leaseMs: number;
}

/** Opens the embedded log of a test in any process. */
export const open = (settings: Settings): Promise<MessageLog> =>
  createSqliteLog({ ...settings, clock: createSystemClock() });
