import { afterAll, expect, test } from "vitest";
import { openSite } from "./swarm-process.ts";

const site = openSite();
afterAll(() => site.close());

test("the Python tests of swarm and driver pass", async () => {
  const { code, output } = await site.run(["python", "-m", "pytest", "locust"]);
  expect(code, output).toBe(0);
  expect(output).toMatch(/\d+ passed/);
  expect(output).not.toContain("skipped");
});
