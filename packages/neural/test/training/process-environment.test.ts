import { describe, expect, it } from "vitest";
import { trainingEnvironment } from "../../src/training/process-environment.ts";

describe("the environment of a training process", () => {
  it("has glibc keep its memory, in huge pages", () => {
    expect(trainingEnvironment({ PATH: "/bin" })).toEqual({
      PATH: "/bin",
      GLIBC_TUNABLES: expect.stringContaining("glibc.malloc.hugetlb=1"),
    });
  });

  it("leaves alone what an operator has set", () => {
    expect(trainingEnvironment({ GLIBC_TUNABLES: "glibc.malloc.check=1" })).toEqual({
      GLIBC_TUNABLES: "glibc.malloc.check=1",
    });
  });
});
