/** TensorFlow.js GraphModel: what its own converter makes of a frozen graph. `tf.loadGraphModel` reads it. */
import { DTYPE_NUMBERS, type DType } from '../../engine/graph/graph.ts';
import { elementCount } from '../../weights/state-dict.ts';
import type { Constants } from '../constants.ts';
import type { ModelDetails } from '../describe.ts';
import { bytesOf, type ExportFile, textFile } from '../export-file.ts';
import { IMAGES, type Sketch } from '../sketch.ts';
import { IMAGES_SHAPE, LOGITS, makeNodes, type Node, type NodeAttribute } from './nodes.ts';
import { makeShards, type WeightsEntry } from './shards.ts';

export function graphModelFiles(sketch: Sketch, constants: Constants, facts: ModelDetails, made: object): ExportFile[] {
  const nodes = makeNodes(sketch, constants, { fused: true });
  const { manifest, files } = makeShards(nodes.flatMap(weightsOf));
  const model = {
    format: 'graph-model',
    generatedBy: 'Mealtable',
    convertedBy: null,
    userDefinedMetadata: made,
    signature: {
      inputs: { [IMAGES]: tensorInfo(IMAGES, IMAGES_SHAPE) },
      outputs: { [LOGITS]: tensorInfo(LOGITS, [-1, facts.classCount]) },
    },
    modelTopology: { node: nodes.map(encodeNode), library: {}, versions: { producer: 1395 } },
    weightsManifest: manifest,
  };
  return [textFile('model.json', JSON.stringify(model)), ...files];
}

const tensorInfo = (name: string, sizes: readonly number[]) => ({
  name: `${name}:0`,
  dtype: 'DT_FLOAT',
  tensorShape: shapeOf(sizes),
});

function weightsOf({ name, attributes: { value } }: Node): WeightsEntry[] {
  if (value?.kind === 'weights') {
    const { shape, load } = value.constant;
    const byteLength = 4 * elementCount(shape);
    return [{ name, shape, dtype: 'float32', byteLength, load: async () => bytesOf(await load()) }];
  }
  if (value?.kind !== 'tensor') return [];
  const { bytes, shape } = value;
  const dtype = value.dtype as 'float32' | 'int32';
  return [{ name, shape, dtype, byteLength: bytes.length, load: async () => bytes }];
}

// The JSON form of protocol buffers: 64-bit integers are texts, bytes are base64.
const shapeOf = (sizes: readonly number[]) => ({ dim: sizes.map((size) => ({ size: String(size) })) });
const bytesText = (text: string) => Buffer.from(text).toString('base64');
const TYPE_NAMES: Partial<Record<DType, string>> = { float32: 'DT_FLOAT', int32: 'DT_INT32' };

function encodeNode({ name, op, inputs, attributes }: Node): object {
  const attr = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, encodeAttribute(value)]));
  return { name, op, input: inputs, attr };
}

function encodeAttribute(attribute: NodeAttribute): object {
  switch (attribute.kind) {
    case 'type':
      return { type: typeName(attribute.value) };
    case 'int':
      return { i: String(attribute.value) };
    case 'ints':
      return { list: { i: attribute.value.map(String) } };
    case 'float':
      return { f: attribute.value };
    case 'bool':
      return { b: attribute.value };
    case 'string':
      return { s: bytesText(attribute.value) };
    case 'strings':
      return { list: { s: attribute.value.map(bytesText) } };
    case 'shape':
      return { shape: shapeOf(attribute.value) };
    // Its numbers lie in the weights files.
    case 'tensor':
      return { tensor: { dtype: typeName(attribute.dtype), tensorShape: shapeOf(attribute.shape) } };
    case 'weights':
      return { tensor: { dtype: 'DT_FLOAT', tensorShape: shapeOf(attribute.constant.shape) } };
    default:
      throw new Error(`No op here has an attribute of kind ${attribute.kind}.`);
  }
}

function typeName(dtype: DType): string {
  const name = TYPE_NAMES[dtype];
  if (name === undefined) throw new Error(`No tensor here has the type ${dtype} (${DTYPE_NUMBERS[dtype]}).`);
  return name;
}
