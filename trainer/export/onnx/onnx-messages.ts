/** The messages of ONNX's files (onnx/onnx.proto). */
import { type LazyBytes, Message } from '../protobuf.ts';

const FLOAT = 1;

/** Numbers of AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, ints: 7 } as const;

export type OnnxAttribute = { float: number } | { int: number } | { text: string } | { ints: number[] };

export interface OnnxNode {
  op: string;
  inputs: string[];
  /** Also the node's name. */
  output: string;
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

export function encodeNode({ op, inputs, output, attributes }: OnnxNode): Message {
  const node = new Message();
  for (const input of inputs) node.text(1, input);
  node.text(2, output).text(3, output).text(4, op);
  for (const [name, attribute] of Object.entries(attributes)) node.message(5, encodeAttribute(name, attribute));
  return node;
}

function encodeAttribute(name: string, attribute: OnnxAttribute): Message {
  const message = new Message().text(1, name);
  if ('float' in attribute) return message.float(2, attribute.float).int(20, ATTRIBUTE_TYPES.float);
  if ('int' in attribute) return message.int(3, attribute.int).int(20, ATTRIBUTE_TYPES.int);
  if ('text' in attribute) return message.text(4, attribute.text).int(20, ATTRIBUTE_TYPES.text);
  for (const value of attribute.ints) message.int(8, value);
  return message.int(20, ATTRIBUTE_TYPES.ints);
}

export function encodeTensor(name: string, shape: readonly number[], bytes: LazyBytes): Message {
  const tensor = new Message();
  for (const size of shape) tensor.int(1, size);
  return tensor.int(2, FLOAT).text(8, name).bytes(9, bytes);
}

/** float32 of this shape, where a text is a size that is free. */
export function encodeInput(name: string, sizes: readonly (number | string)[]): Message {
  const shape = new Message();
  for (const size of sizes)
    shape.message(1, typeof size === 'string' ? new Message().text(2, size) : new Message().int(1, size));
  const tensor = new Message().int(1, FLOAT).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
