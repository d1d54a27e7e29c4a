import { closeSync, openSync, watch, writeSync } from "node:fs";

/** How processes tell each other to look at the log: they write to a small file that all of them watch. */
export interface LogBell {
  ring(): void;
  close(): void;
}

/**
 * Opens the bell beside the log. It is rung after a transaction: watching the log itself would wake the others before the
 * transaction can be seen. `onRing` also hears this process's own rings.
 */
export function openLogBell(path: string, onRing: () => void): LogBell {
  const file = openSync(path, "w");
  const watcher = watch(path, onRing);
  return {
    ring: () => {
      writeSync(file, "!", 0);
    },
    close: () => {
      watcher.close();
      closeSync(file);
    },
  };
}
