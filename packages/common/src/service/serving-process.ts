import { setFlagsFromString } from "node:v8";

/**
 * `NODE_OPTIONS` of a process that answers requests while it computes.
 *
 * V8 has four threads of its own for garbage collection and compilation, whatever the machine. On two cores they stand in the way of the threads that answer. One is enough.
 */
export const servingNodeOptions = "--v8-pool-size=1";

/**
 * Short-lived objects are collected by the thread that made them: with helpers each collection waits until the last of them had its turn on a busy core. `NODE_OPTIONS`
 * does not take this flag; of those that can be set at run time it is a harmless one, because V8 reads it at each collection.
 */
export const collectAlone = (): void => setFlagsFromString("--no-parallel-scavenge");
