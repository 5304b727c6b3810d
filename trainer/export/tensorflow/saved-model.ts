/**
 * SavedModel: one graph with its weights as constants and two signatures, for normalised images and for bytes.
 * `tf.saved_model.load`, TensorFlow Serving and tfjs-node's `loadSavedModel` read it.
 */
import { type Attribute, DTYPE_NUMBERS, type DType, shape, type } from '../../engine/graph/graph.ts';
import type { Constants } from '../constants.ts';
import type { ModelDetails } from '../describe.ts';
import { bytesOf, type ExportFile, messageFile } from '../export-file.ts';
import { Message } from '../protobuf.ts';
import { IMAGES, type Sketch } from '../sketch.ts';
import { encodeGraphDef, encodeShape, mapEntry } from './graph-def.ts';
import { IMAGES_SHAPE, LOGITS, makeNodes, type Node } from './nodes.ts';

const PIXELS = 'pixels';
const METHOD = 'tensorflow/serving/predict';

export function savedModelFiles(sketch: Sketch, constants: Constants, facts: ModelDetails): ExportFile[] {
  const [images, ...nodes] = makeNodes(sketch, constants, { fused: false });
  const graph = encodeGraphDef([...normalisation(facts, images!), ...nodes]);
  const info = new Message().text(4, 'serve').text(5, '2.16.0');
  const output: TensorDescription = { name: LOGITS, dtype: 'float32', shape: [-1, facts.classCount] };
  const signature = (input: TensorDescription) =>
    new Message().message(1, tensorEntry(input)).message(2, tensorEntry(output)).text(3, METHOD);
  const metaGraph = new Message()
    .message(1, info)
    .message(2, graph)
    .message(5, mapEntry(PIXELS, signature({ name: PIXELS, dtype: 'uint8', shape: IMAGES_SHAPE })))
    .message(5, mapEntry('serving_default', signature({ name: IMAGES, dtype: 'float32', shape: IMAGES_SHAPE })));
  return [messageFile('saved_model.pb', new Message().int(1, 1).message(2, metaGraph))];
}

/** Bytes to normalised images, which are computed from bytes unless they are given. */
function normalisation({ preprocessing: { mean, std } }: ModelDetails, images: Node): Node[] {
  const perChannel = (name: string, values: number[]): Node => {
    const bytes = bytesOf(Float32Array.from(values));
    const value: Attribute = { kind: 'tensor', dtype: 'float32', shape: [3], bytes };
    return { name, op: 'Const', inputs: [], attributes: { dtype: type('float32'), value } };
  };
  const T = type('float32');
  return [
    { name: PIXELS, op: 'Placeholder', inputs: [], attributes: { dtype: type('uint8'), shape: shape(IMAGES_SHAPE) } },
    { name: 'pixels/float', op: 'Cast', inputs: [PIXELS], attributes: { SrcT: type('uint8'), DstT: T } },
    perChannel(
      'pixels/scale',
      std.map((deviation) => 1 / (255 * deviation)),
    ),
    perChannel(
      'pixels/shift',
      mean.map((value, channel) => -value / std[channel]!),
    ),
    { name: 'pixels/scaled', op: 'Mul', inputs: ['pixels/float', 'pixels/scale'], attributes: { T } },
    { name: 'pixels/normalised', op: 'AddV2', inputs: ['pixels/scaled', 'pixels/shift'], attributes: { T } },
    { ...images, op: 'PlaceholderWithDefault', inputs: ['pixels/normalised'] },
  ];
}

interface TensorDescription {
  name: string;
  dtype: DType;
  shape: readonly number[];
}

/** Signatures call tensors by the names of their nodes. */
function tensorEntry({ name, dtype, shape }: TensorDescription): Message {
  const info = new Message().text(1, `${name}:0`).int(2, DTYPE_NUMBERS[dtype]).message(3, encodeShape(shape));
  return mapEntry(name, info);
}
