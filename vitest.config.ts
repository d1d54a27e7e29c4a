import { defineConfig } from "vitest/config";

const suite = (name: string, include: string[], testTimeout = 20_000) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  ssr: { resolve: { conditions: ["source", "node", "import", "default"] } },
  test: {
    execArgv: ["--conditions=source"],
    // One second by itself, which other work on the machine can take.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      suite("unit", ["{packages,services}/*/test/**/*.test.ts", "test/*.test.ts"]),
      suite("deploy", ["tools/*/test/**/*.test.ts"], 120_000),
      suite("contract", ["packages/*/test/**/*.contract.ts"], 120_000),
      suite("components", ["{packages,services}/*/test/**/*.component.ts"], 120_000),
      suite("parity", ["packages/*/test/**/*.parity.ts", "test/parity/**/*.parity.ts"], 600_000),
      suite("e2e", ["test/e2e/**/*.e2e.ts"], 180_000),
      suite("locust", ["test/locust/**/*.swarm.ts"], 120_000),
      suite("e2e-servers", ["test/e2e/**/*.servers.ts"], 60_000),
      suite("faults", ["test/faults/**/*.fault.ts"], 300_000),
      suite("faults-servers", ["test/faults/**/*.servers.ts"], 300_000),
      suite("cluster", ["test/cluster/**/*.cluster.ts"], 600_000),
    ],
  },
});
