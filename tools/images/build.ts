import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Image, imagesOf } from "./image-plan.ts";

/**
 * `pnpm images [NAME…]`: builds all images, or those whose names contain one of the words, with `docker build`, or with the command in IMAGE_BUILDER, called as
 * `$IMAGE_BUILDER NAME:TAG FOLDER [docker build options]`. NODE_IMAGE and PYTHON_IMAGE name other images to begin with. Exit code 1 when one does not build, 69 (EX_UNAVAILABLE) where there is nothing to build with.
 */
const EX_UNAVAILABLE = 69;
const repository = fileURLToPath(new URL("../..", import.meta.url));
const builder = process.env["IMAGE_BUILDER"] ?? "";

const revision = spawnSync("git", ["rev-parse", "HEAD"], { cwd: repository, encoding: "utf8" }).stdout.trim();
const words = process.argv.slice(2);
const wanted = imagesOf(repository, revision || "unknown", process.env).filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);

if (builder === "" && spawnSync("docker", ["info"], { stdio: "ignore" }).status !== 0) {
  console.error("no images: docker has no daemon here, and IMAGE_BUILDER names no other builder");
  process.exitCode = EX_UNAVAILABLE;
} else {
  for (const image of wanted) {
    const begun = performance.now();
    const isBuilt = build(image);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`${isBuilt ? "built" : "FAILED"} ${image.name} (${seconds} s)`);
    if (!isBuilt) process.exitCode = 1;
  }
}

function build({ name, folder, options }: Image): boolean {
  const [program, ...parameters] =
    builder === ""
      ? ["docker", "build", "--tag", name, ...options, folder]
      : [builder, name, folder, ...options];
  return spawnSync(program ?? "", parameters, { cwd: repository, stdio: "inherit" }).status === 0;
}
