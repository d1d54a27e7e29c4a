import type { Shape } from "./shape.ts";
import type { ElementType, Tensor } from "./tensor.ts";

/** A named edge of a graph. Its type and shape are known while the graph is built, so that mistakes surface there. */
export interface Value<T extends ElementType = ElementType> {
  readonly name: string;
  readonly type: T;
  readonly shape: Shape;
}

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly elementType: ElementType };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One node: an empty input name leaves an optional input out, an empty output name an optional output. */
export interface GraphNode {
  readonly operator: string;
  readonly domain: Domain;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** `com.microsoft` holds onnxruntime's own operators: for graphs that only onnxruntime runs, never for files we publish. */
export type Domain = "" | "com.microsoft";

/** A finished graph: nodes in an order in which each comes after what it reads. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly { readonly name: string; readonly tensor: Tensor }[];
  readonly nodes: readonly GraphNode[];
}

export interface NodeSpec {
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes?: Attributes;
  readonly domain?: Domain;
}

/** What a node's output is: its element type and shape. */
export interface Result<T extends ElementType = ElementType> {
  readonly type: T;
  readonly shape: Shape;
}

export interface GraphBuilder {
  /** A graph input; `shape` may name free dimensions. */
  input<T extends ElementType>(name: string, type: T, shape: Shape): Value<T>;
  /** An initializer. Without a name it gets one; equal unnamed constants are not merged. */
  constant<T extends ElementType>(tensor: Tensor<T>, name?: string): Value<T>;
  /** A node of which one output is used: its first, or the one at `position`, the optional ones before it left out. */
  node<T extends ElementType>(spec: NodeSpec, result: Result<T>, position?: number): Value<T>;
  /** A node with several outputs. */
  nodes<T extends ElementType>(spec: NodeSpec, results: readonly Result<T>[]): readonly Value<T>[];
  /** Makes `value` a graph output under `name`. */
  output<T extends ElementType>(name: string, value: Value<T>): Value<T>;
  /** The graph so far. */
  build(): Graph;
}

/** Starts an empty graph. Throws on a name given twice and on a value of another graph: both are mistakes of the caller. */
export function graphBuilder(name: string): GraphBuilder {
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  const initializers: { name: string; tensor: Tensor }[] = [];
  const nodes: GraphNode[] = [];
  const known = new Set<string>();
  const produced = new Set<string>();
  const outputNames = new Map<string, string>();

  function declare<T extends ElementType>(valueName: string, result: Result<T>): Value<T> {
    if (known.has(valueName)) throw new Error(`Graph ${name} already has a value ${valueName}`);
    known.add(valueName);
    return { name: valueName, type: result.type, shape: result.shape };
  }

  function append(spec: NodeSpec, results: readonly string[]): void {
    for (const input of spec.inputs) {
      if (input && !known.has(input.name))
        throw new Error(`${spec.operator} reads ${input.name}, which graph ${name} lacks`);
    }
    for (const result of results) produced.add(result);
    nodes.push({
      operator: spec.operator,
      domain: spec.domain ?? "",
      inputs: spec.inputs.map((input) => input?.name ?? ""),
      outputs: results,
      attributes: spec.attributes ?? {},
    });
  }

  const named = (edge: string): string => outputNames.get(edge) ?? edge;

  const builder: GraphBuilder = {
    input(inputName, type, shape) {
      const value = declare(inputName, { type, shape });
      inputs.push(value);
      return value;
    },
    constant(tensor, constantName = `constant_${initializers.length}`) {
      const value = declare(constantName, tensor);
      initializers.push({ name: constantName, tensor });
      return value;
    },
    node(spec, result, position = 0) {
      const value = declare(`${spec.operator}_${nodes.length}`, result);
      append(spec, [...Array.from({ length: position }, () => ""), value.name]);
      return value;
    },
    nodes(spec, results) {
      const values = results.map((result, index) =>
        declare(`${spec.operator}_${nodes.length}_${index}`, result),
      );
      append(
        spec,
        values.map((value) => value.name),
      );
      return values;
    },
    output(outputName, value) {
      const output = declare(outputName, value);
      outputs.push(output);
      // What a node computes takes the output's name; an Identity node would copy it. Inputs and constants need the copy.
      if (produced.has(value.name) && !outputNames.has(value.name)) outputNames.set(value.name, outputName);
      else append({ operator: "Identity", inputs: [value] }, [outputName]);
      return output;
    },
    build() {
      const renamed = nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(named),
        outputs: node.outputs.map(named),
      }));
      return {
        name,
        inputs: [...inputs],
        outputs: [...outputs],
        initializers: [...initializers],
        nodes: renamed,
      };
    },
  };
  return builder;
}
