import { spawnSync } from "node:child_process";

/** Ends with one line where there is no cluster for `pnpm test:cluster`. */
const missing = ["kubectl", "helm"].find(
  (program) => spawnSync(program, ["version", "--client"]).error !== undefined,
);
const asked = spawnSync("kubectl", ["get", "--raw=/readyz", "--request-timeout=10s"], { encoding: "utf8" });
if (missing !== undefined || asked.status !== 0) {
  console.error(
    missing === undefined
      ? `no cluster answers: ${asked.stderr.trim()}; set KUBECONFIG`
      : `${missing} is not there`,
  );
  process.exit(1);
}
