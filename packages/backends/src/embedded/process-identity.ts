import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

/** A process as others on its machine can look for it. */
export interface ProcessIdentity {
  /** Names the space in which the number means this process: one boot of one machine, one container. */
  readonly space: string;
  readonly pid: number;
}

export const ownIdentity = (): ProcessIdentity => ({ space: processSpace(), pid: process.pid });

/**
 * Whether a process is certainly gone. False when it lives, when its number has another bearer by now, and when it cannot be
 * looked for from here: then only its lease can tell.
 */
export function isCertainlyGone(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.space !== own.space) return false;
  try {
    process.kill(other.pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function processSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
