import { defineConfig } from "vitest/config";

/** The tests that mutants of the pure numerics are run against: their own, and nothing that starts a process. */
export default defineConfig({
  ssr: { resolve: { conditions: ["source", "node", "import", "module", "default"] } },
  test: {
    include: [
      "packages/common/test/scaler/*.test.ts",
      "packages/forecasting/test/evaluation/{metrics,bootstrap,gate}.test.ts",
    ],
    execArgv: ["--conditions=source"],
    // The bootstrap's tests are instrumented, and share their cores.
    testTimeout: 60_000,
  },
});
