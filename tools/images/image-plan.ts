import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** One image to build: its name with tag, the folder of its Dockerfile, and what else the builder is told. */
export interface Image {
  readonly name: string;
  readonly folder: string;
  readonly options: readonly string[];
}

/** Packages that become images, by the name of their folder's package. */
export const services = ["gateway", "preprocess", "train", "eval", "inference", "cli"] as const;

interface Values {
  readonly images: {
    readonly services: { readonly repository: string; readonly tag: string };
    readonly mlflow: string;
    readonly locust: string;
  };
}

/** Images that ours begin with, where they are not to be those that the Dockerfiles name. */
type Bases = Readonly<Partial<Record<"NODE_IMAGE" | "PYTHON_IMAGE", string | undefined>>>;

/** Every image of ours, by the names under which the chart asks for them. */
export function imagesOf(repository: string, revision: string, bases: Bases = {}): readonly Image[] {
  const base = (name: keyof Bases): readonly string[] =>
    bases[name] === undefined ? [] : [`--build-arg=${name}=${bases[name]}`];
  const read = (path: string): unknown => parse(readFileSync(join(repository, path), "utf8"));
  const { appVersion } = read("helm/flts/Chart.yaml") as { readonly appVersion: string };
  const { images } = read("helm/flts/values.yaml") as Values;
  const tag = images.services.tag || appVersion;
  return [
    ...services.map((service) => ({
      name: `${images.services.repository}/${service}:${tag}`,
      folder: ".",
      options: [
        `--build-arg=SERVICE=${service}`,
        `--build-arg=VERSION=${appVersion}`,
        `--build-arg=REVISION=${revision}`,
        ...base("NODE_IMAGE"),
      ],
    })),
    { name: images.mlflow, folder: "docker/mlflow", options: base("PYTHON_IMAGE") },
    { name: images.locust, folder: "locust", options: base("PYTHON_IMAGE") },
  ];
}
