import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chartReadme, explainedValues } from "../chart-readme.ts";
import { repository } from "../helm.ts";
import { parseManifests } from "../manifests.ts";
import { plainManifests } from "../plain-manifests.ts";
import { oneNode } from "./rendered.ts";

const folder = join(repository, "k8s");
const present = new Map(
  readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const),
);

test("k8s/ is what the chart renders (else: pnpm render)", () => {
  const rendered = plainManifests();
  expect([...present.keys()].toSorted()).toEqual([...rendered.keys()].toSorted());
  for (const [name, text] of rendered) expect(present.get(name), name).toBe(text);
});

test("the chart's README is what values.yaml says (else: pnpm render)", () => {
  expect(readFileSync(join(repository, "helm/flts/README.md"), "utf8")).toBe(chartReadme());
});

test("a comment with two dashes explains the value below it, by its path", () => {
  expect(explainedValues("a:\n  # -- first\n  b: 1\n  # another\n  c: 2\nd:\n  # -- last\n  e: x\n")).toEqual(
    [
      { path: "a.b", given: "1", meaning: "first" },
      { path: "d.e", given: "x", meaning: "last" },
    ],
  );
});

test("the namespace comes first, and nothing is Helm's", () => {
  const [first = ""] = [...present.keys()].toSorted();
  expect(parseManifests(present.get(first) ?? "")[0]).toMatchObject({
    kind: "Namespace",
    metadata: { name: "flts", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  });
  for (const [name, text] of present) expect(text, name).not.toMatch(/helm\.sh|managed-by/);
});

test("no object is lost between the chart and the files, and each has its namespace", () => {
  const inFiles = [...present.values()].flatMap(parseManifests);
  expect(inFiles).toHaveLength(oneNode().manifests.length + 1); // The namespace itself.
  const without = inFiles.filter(({ metadata }) => metadata.namespace !== "flts");
  expect(without.map(({ kind }) => kind)).toEqual(["Namespace"]);
});

test.each(["preprocess.yaml", "inference.yaml", "train-lstm.yaml", "kafka.yaml"])(
  "%s can be applied alone",
  (name) => {
    const parts = parseManifests(present.get(name) ?? "");
    const part = name.replace(".yaml", "");
    expect(parts.some(({ metadata, spec }) => metadata.name === part && spec !== undefined)).toBe(true);
  },
);
