/** Nodes as TensorFlow's GraphDef (tensorflow/core/framework/graph.proto and its neighbours). */
import { DTYPE_NUMBERS } from '../../engine/graph/graph.ts';
import { elementCount } from '../../weights/state-dict.ts';
import { bytesOf } from '../export-file.ts';
import { Message } from '../protobuf.ts';
import type { Node, NodeAttribute } from './nodes.ts';

/** GraphDef's version; TensorFlow 1.15 and everything after it reads this one. */
const PRODUCER = 1395;

export function encodeGraphDef(nodes: readonly Node[]): Message {
  const graph = new Message();
  for (const node of nodes) graph.message(1, encodeNode(node));
  return graph.message(4, new Message().int(1, PRODUCER));
}

/** An entry of a map from text to messages. */
export const mapEntry = (key: string, value: Message): Message => new Message().text(1, key).message(2, value);

export function encodeShape(sizes: readonly number[]): Message {
  const shape = new Message();
  for (const size of sizes) shape.message(2, new Message().int(1, size));
  return shape;
}

function encodeNode({ name, op, inputs, attributes }: Node): Message {
  const node = new Message().text(1, name).text(2, op);
  for (const input of inputs) node.text(3, input);
  for (const [key, attribute] of Object.entries(attributes)) node.message(5, mapEntry(key, encodeAttribute(attribute)));
  return node;
}

function encodeAttribute(attribute: NodeAttribute): Message {
  const value = new Message();
  switch (attribute.kind) {
    case 'string':
      return value.text(2, attribute.value);
    case 'int':
      return value.int(3, attribute.value);
    case 'float':
      return value.float(4, attribute.value);
    case 'bool':
      return value.int(5, attribute.value);
    case 'type':
      return value.int(6, DTYPE_NUMBERS[attribute.value]);
    case 'shape':
      return value.message(7, encodeShape(attribute.value));
    case 'ints':
      return value.message(1, new Message().ints(3, attribute.value));
    case 'tensor':
      return value.message(8, encodeTensor(attribute.dtype, attribute.shape, attribute.bytes));
    case 'weights': {
      const { shape, load } = attribute.constant;
      const lazy = { length: 4 * elementCount(shape), load: async () => bytesOf(await load()) };
      return value.message(8, encodeTensor('float32', shape, lazy));
    }
    default:
      throw new Error(`No op here has an attribute of kind ${attribute.kind}.`);
  }
}

function encodeTensor(
  dtype: keyof typeof DTYPE_NUMBERS,
  shape: readonly number[],
  bytes: Parameters<Message['bytes']>[1],
): Message {
  return new Message().int(1, DTYPE_NUMBERS[dtype]).message(2, encodeShape(shape)).bytes(4, bytes);
}
