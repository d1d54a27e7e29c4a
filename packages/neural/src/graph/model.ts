import type { Attribute, Graph, GraphNode, Value } from "./graph.ts";
import type { Dimension } from "./shape.ts";
import { bytesOf, elementTypes, type Tensor } from "./tensor.ts";
import {
  bytesField,
  type Field,
  floatField,
  message,
  messageField,
  packedFloatsField,
  packedVarintsField,
  textField,
  varintField,
} from "./wire.ts";

/** Old enough for every onnxruntime since 1.14 and new enough for LSTM, GRU and Split as we write them. */
const irVersion = 8;
const opsetVersion = 18;

/**
 * The bytes of an ONNX file (`ModelProto`) for a graph. Field numbers are those of onnx/onnx.proto.
 *
 * @param metadata  pairs for `metadata_props`, readable from a session or the `onnx` package
 */
export function encodeModel(
  graph: Graph,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const domains = new Set(["", ...graph.nodes.map((node) => node.domain)]);
  return Uint8Array.from(
    message([
      varintField(1, irVersion),
      textField(2, "flts"),
      messageField(7, graphFields(graph)),
      ...[...domains].map((domain) =>
        messageField(8, [textField(1, domain), varintField(2, domain === "" ? opsetVersion : 1)]),
      ),
      ...Object.entries(metadata).map(([key, value]) =>
        messageField(14, [textField(1, key), textField(2, value)]),
      ),
    ]),
  );
}

function graphFields(graph: Graph): Field[] {
  return [
    ...graph.nodes.map((node) => messageField(1, nodeFields(node))),
    textField(2, graph.name),
    ...graph.initializers.map(({ name, tensor }) => messageField(5, tensorFields(name, tensor))),
    ...graph.inputs.map((input) => messageField(11, valueFields(input))),
    ...graph.outputs.map((output) => messageField(12, valueFields(output))),
  ];
}

function nodeFields(node: GraphNode): Field[] {
  return [
    ...node.inputs.map((input) => textField(1, input)),
    ...node.outputs.map((output) => textField(2, output)),
    // A name per node makes onnxruntime's profiles readable.
    textField(3, node.outputs[0] ?? ""),
    textField(4, node.operator),
    ...Object.entries(node.attributes).map(([name, attribute]) =>
      messageField(5, [textField(1, name), ...attributeFields(attribute)]),
    ),
    textField(7, node.domain),
  ];
}

function attributeFields(attribute: Attribute): Field[] {
  if ("float" in attribute) return [floatField(2, attribute.float), attributeType(1)];
  if ("elementType" in attribute)
    return [varintField(3, elementTypes[attribute.elementType].code), attributeType(2)];
  if ("int" in attribute) return [varintField(3, attribute.int), attributeType(2)];
  if ("text" in attribute) return [textField(4, attribute.text), attributeType(3)];
  if ("floats" in attribute) return [packedFloatsField(7, attribute.floats), attributeType(6)];
  if ("ints" in attribute) return [packedVarintsField(8, attribute.ints), attributeType(7)];
  return [...attribute.texts.map((text) => textField(9, text)), attributeType(8)];
}

const attributeType = (code: number): Field => varintField(20, code);

function tensorFields(name: string, tensor: Tensor): Field[] {
  return [
    packedVarintsField(1, tensor.shape),
    varintField(2, elementTypes[tensor.type].code),
    textField(8, name),
    bytesField(9, bytesOf(tensor)),
  ];
}

function valueFields(value: Value): Field[] {
  const shape = value.shape.map((dimension) => messageField(1, dimensionFields(dimension)));
  const tensorType = [varintField(1, elementTypes[value.type].code), messageField(2, shape)];
  return [textField(1, value.name), messageField(2, [messageField(1, tensorType)])];
}

const dimensionFields = (dimension: Dimension): Field[] => [
  typeof dimension === "number" ? varintField(1, dimension) : textField(2, dimension),
];
