import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createEvalMetrics } from "../src/metrics.ts";
import { decisionOf, promotionBy } from "./builders.ts";

test("the gate's verdicts are counted, with the numbers of the last one, and stations show their champions", async () => {
  const registry = new Registry();
  const metrics = createEvalMetrics(registry);
  const versus = { difference: -0.2, low: -0.3, high: -0.1 };
  const decided = { ...decisionOf({ round: "a" }, 3), versus_persistence: versus };
  metrics.decided(decided);
  metrics.decided({ ...decided, verdict: "held" });
  metrics.champion(promotionBy(decided));
  metrics.championChecked("default", false);
  metrics.waiting(2);
  const text = await registry.metrics();
  for (const line of [
    'promotion_decisions_total{identifier="default",verdict="cold_start"} 1',
    'promotion_decisions_total{identifier="default",verdict="held"} 1',
    'promotion_epoch{identifier="default"} 4',
    'promotion_skill{identifier="default"} 0.1',
    'promotion_loss_difference{identifier="default",rival="persistence",bound="high"} -0.1',
    'promotion_champion_available{identifier="default"} 0',
    "promotion_waiting_rounds 2",
  ])
    expect(text).toContain(line);
  expect(text).not.toContain('rival="champion"');
});

test("a comparison that the last decision did not make is not shown", async () => {
  const registry = new Registry();
  const metrics = createEvalMetrics(registry);
  const versus = { difference: -0.2, low: -0.3, high: -0.1 };
  const decided = { ...decisionOf({ round: "a" }, 3), versus_persistence: versus, versus_champion: versus };
  metrics.decided(decided);
  expect(await registry.metrics()).toContain('rival="champion"');
  metrics.decided({ ...decided, versus_champion: null });
  const text = await registry.metrics();
  expect(text).not.toContain('rival="champion"');
  expect(text).toContain('rival="persistence"');
});
