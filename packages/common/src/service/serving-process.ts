/**
 * `NODE_OPTIONS` of a process that answers requests while it computes.
 *
 * V8 has four threads of its own for garbage collection and compilation, whatever the machine. On two cores they stand in the way of the threads that answer: a
 * collection waits until the last of them had its turn. One is enough. A young generation of 4 MiB is collected quickly, and stays in the cache.
 */
export const servingNodeOptions = "--v8-pool-size=1 --max-semi-space-size=4";
