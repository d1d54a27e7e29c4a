import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodeModel } from "../../src/graph/model.ts";
import { recurrentNetwork } from "../../src/networks/recurrent.ts";
import { initialWeights } from "../../src/networks/weights.ts";
import { randomStream } from "../../src/random.ts";
import { trainingGraph } from "../../src/training/training-graph.ts";
import { exported } from "../support/export.ts";
import { waves } from "../support/synthetic.ts";

const python = process.env["FLTS_PYTHON"];

const check = `
import onnx, sys
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
print(" ".join(sorted({node.op_type for node in model.graph.node})))
`;

function hasOnnx(): boolean {
  try {
    execFileSync(python ?? "", ["-c", "import onnx"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!python || !hasOnnx())(
  "onnx.checker passes (needs FLTS_PYTHON with the package onnx)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "flts-onnx-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    /** The operators of a file that the checker has passed, shapes inferred and compared. */
    function checked(name: string, file: Uint8Array): string[] {
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, file);
      return execFileSync(python ?? "", ["-c", check, path], { encoding: "utf8" })
        .trim()
        .split(" ");
    }

    test.each(["lstm", "gru"] as const)("an exported %s", (cell) => {
      const network = recurrentNetwork({ cell, features: 3, hiddenSize: 4, numLayers: 2, outputs: 2 });
      const weights = initialWeights(network.parameters, randomStream(cell));
      const file = exported({ network, weights, window: 5, horizon: 2 }, waves());
      expect(checked(cell, file)).toContain(cell.toUpperCase());
    });

    test.each(["lstm", "gru"] as const)("a training step of a %s", (cell) => {
      const network = recurrentNetwork({ cell, features: 3, hiddenSize: 4, numLayers: 2, outputs: 1 });
      const shape = { rows: 100, features: 3, targets: 1, batch: 8, window: 5, horizon: 1, clipNorm: 1 };
      expect(checked(`${cell}-training`, encodeModel(trainingGraph(network, shape)))).toContain("Gemm");
    });
  },
);
