import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installations, repository } from "../../deploy/helm.ts";
import { containersOf } from "../../deploy/manifests.ts";
import { deployed } from "../../deploy/test/rendered.ts";
import { imagesOf, services } from "../image-plan.ts";

const built = imagesOf(repository, "abc");

test("every image of ours that an installation names is built", () => {
  const names = new Set(built.map(({ name }) => name));
  for (const installation of installations)
    for (const pods of deployed({ installation }).pods)
      for (const { image } of containersOf(pods).filter((container) => container.image.startsWith("flts/")))
        expect(names.has(image), image).toBe(true);
});

test("every service has an image, and is told which one it is", () => {
  expect(readdirSync(join(repository, "services")).toSorted()).toEqual(
    services.filter((name) => name !== "cli").toSorted(),
  );
  expect(built.find(({ name }) => name === "flts/eval:0.1.0")).toEqual({
    name: "flts/eval:0.1.0",
    folder: ".",
    options: ["--build-arg=SERVICE=eval", "--build-arg=VERSION=0.1.0", "--build-arg=REVISION=abc"],
  });
});

test("where the images that ours begin with have other names, every build is told", () => {
  const told = imagesOf(repository, "abc", { NODE_IMAGE: "node:ours", PYTHON_IMAGE: "python:ours" });
  for (const { folder, options } of told) {
    const [, name, own] =
      /^ARG (\w+)=(\S+)$/m.exec(readFileSync(join(repository, folder, "Dockerfile"), "utf8")) ?? [];
    expect(own).toBe(name === "NODE_IMAGE" ? "node:24-bookworm-slim" : "python:3.12-slim-bookworm");
    expect(options).toContain(`--build-arg=${name}=${name === "NODE_IMAGE" ? "node:ours" : "python:ours"}`);
  }
});

test("the layer of packages knows every package, so that a changed source does not install them again", () => {
  const dockerfile = readFileSync(join(repository, "Dockerfile"), "utf8");
  const copied = [...dockerfile.matchAll(/^COPY (\S+\/package\.json) (\S+)\/$/gm)].map(([, file, folder]) => {
    expect(file).toBe(`${folder}/package.json`);
    return file;
  });
  expect(new Set(copied)).toEqual(
    new Set(globSync("{packages,services}/*/package.json", { cwd: repository })),
  );
});

test("the image runs Node itself, as a number that is not root", () => {
  const dockerfile = readFileSync(join(repository, "Dockerfile"), "utf8");
  expect(dockerfile).toMatch(/^USER 10001:10001$/m);
  expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:24-bookworm-slim$/m);
  expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "dist\/main\.js"\]$/m);
});
