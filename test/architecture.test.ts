import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** The direction of imports is the architecture (docs/architecture.md): a package may use only those named here. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "packages/common": [],
  "packages/forecasting": ["common"],
  "packages/neural": [],
  "packages/families": ["common", "forecasting", "neural"],
  "packages/backends": ["common"],
  "packages/testing": ["common", "backends"],
  "packages/cli": [
    "common",
    "backends",
    "forecasting",
    "families",
    "gateway",
    "preprocess",
    "train",
    "eval",
    "inference",
  ],
  "services/gateway": ["common", "backends"],
  "services/preprocess": ["common", "backends", "forecasting"],
  "services/train": ["common", "backends", "forecasting", "families", "neural"],
  "services/eval": ["common", "backends", "forecasting", "families"],
  "services/inference": ["common", "backends", "forecasting", "families"],
};

/** Folders of pure computation: no input or output, no clock, no chance, no environment. */
const pure = [
  "packages/forecasting/src",
  "packages/families/src",
  "packages/neural/src",
  "packages/common/src/contracts",
  "packages/common/src/scaler",
];
const impure =
  /from "node:(?!crypto"|buffer")|\bDate\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|process\.|\bfetch\(|setTimeout\(|setInterval\(/;

const sources: readonly string[] = globSync("{packages,services}/*/src/**/*.ts");
const importsOf = (path: string): string[] =>
  [...readFileSync(path, "utf8").matchAll(/(?:from|import|import\()\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
const packageOf = (path: string): string => path.split("/").slice(0, 2).join("/");

test.each(Object.entries(allowed))("%s imports only what lies below it", (name, below) => {
  for (const path of sources.filter((source) => packageOf(source) === name))
    for (const imported of importsOf(path).filter((specifier) => specifier.startsWith("@flts/")))
      expect([...below], `${path} imports ${imported}`).toContain(imported.split("/")[1]);
});

test("every package has a place in the architecture", () => {
  const present = globSync("{packages,services}/*/package.json").map((path) => dirname(path));
  expect(new Set(present)).toEqual(new Set(Object.keys(allowed)));
});

test("a package declares the packages that it imports", () => {
  for (const name of Object.keys(allowed)) {
    const manifest = JSON.parse(readFileSync(join(name, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    const declared = Object.keys(manifest.dependencies ?? {}).filter((dependency) =>
      dependency.startsWith("@flts/"),
    );
    const used: readonly string[] = sources
      .filter((source) => packageOf(source) === name)
      .flatMap((source) => importsOf(source))
      .filter((specifier) => specifier.startsWith("@flts/"))
      .map((specifier) => specifier.split("/").slice(0, 2).join("/"));
    for (const dependency of new Set(used))
      expect(declared, `${name} imports ${dependency}`).toContain(dependency);
  }
});

test("services take backends only in main.ts", () => {
  for (const path of globSync("services/*/src/**/*.ts").filter((source) => !source.endsWith("/src/main.ts")))
    expect(
      importsOf(path).filter(
        (specifier) => specifier.startsWith("@flts/backends") && !specifier.endsWith("/settings"),
      ),
      path,
    ).toEqual([]);
});

test("vendor libraries stay in the files made for them", () => {
  const homes: Readonly<Record<string, RegExp>> = {
    "onnxruntime-node": /^packages\/neural\/src\//,
    hyparquet: /^packages\/forecasting\/src\/table\//,
    "hyparquet-writer": /^packages\/forecasting\/src\/table\//,
    "@bsull/augurs-prophet-wasmstan": /^packages\/families\/src\/prophet\//,
    "date-holidays": /^packages\/families\/src\/prophet\//,
    "@aws-sdk/client-s3": /^packages\/backends\/src\/s3\//,
    "apache-arrow": /^services\/inference\/src\/arrow\//,
    kafkajs: /^packages\/backends\/src\/kafka\//,
    "node:sqlite": /^packages\/backends\/src\/embedded\//,
  };
  const strays = sources.flatMap((path) =>
    importsOf(path)
      .filter((imported) => imported in homes && homes[imported]?.exec(path) === null)
      .map((imported) => `${path} imports ${imported}`),
  );
  expect(strays).toEqual([]);
});

test("pure folders touch neither the world nor the clock", () => {
  for (const path of sources.filter((source) => pure.some((folder) => source.startsWith(`${folder}/`)))) {
    const code = readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(impure.exec(code)?.[0], path).toBeUndefined();
  }
});

test("relative imports stay inside their package", () => {
  for (const path of sources)
    for (const imported of importsOf(path).filter((specifier) => specifier.startsWith(".")))
      expect(normalize(join(dirname(path), imported)), path).toMatch(new RegExp(`^${packageOf(path)}/`));
});
