/** A sketch as TensorFlow's ops, NHWC, with every batch norm folded into its convolution. */
import { type Attribute, type DType, shape, type } from '../../engine/graph/graph.ts';
import type { Constant, Constants } from '../constants.ts';
import { bytesOf } from '../export-file.ts';
import { type ActivationName, type ConvLayer, IMAGES, isDepthwise, type Layer, type Sketch } from '../sketch.ts';

/** `weights` are read when they are written; `tensor` is for the few small ones. */
export type NodeAttribute = Attribute | { kind: 'weights'; constant: Constant };

export interface Node {
  name: string;
  op: string;
  inputs: string[];
  attributes: Record<string, NodeAttribute>;
}

export const LOGITS = 'logits';
/** Batch, height and width are free. */
export const IMAGES_SHAPE = [-1, -1, -1, 3] as const;

export interface NodeOptions {
  /**
   * Whether biases and ReLUs are part of their convolution's op, as TensorFlow.js has them from its own converter. TensorFlow does so
   * by itself where its kernels can.
   */
  fused: boolean;
}

const FLOAT = { T: type('float32') };
const ints = (value: number[]): Attribute => ({ kind: 'ints', value });
const text = (value: string): Attribute => ({ kind: 'string', value });

/** In topological order, from the placeholder `images` to the identity `logits`. */
export function makeNodes({ layers }: Sketch, constants: Constants, options: NodeOptions): Node[] {
  const writer = new NodeWriter(layers, constants, options);
  for (const layer of layers) writer.write(layer);
  writer.add(LOGITS, 'Identity', [layers.at(-1)!.name], FLOAT);
  return writer.nodes;
}

class NodeWriter {
  readonly nodes: Node[] = [];
  readonly #constants: Constants;
  /** ReLUs by the convolution that they are part of. */
  readonly #fusedRelus: ReadonlyMap<string, string>;
  readonly #isFused: boolean;

  constructor(layers: readonly Layer[], constants: Constants, { fused }: NodeOptions) {
    this.#constants = constants;
    this.#isFused = fused;
    this.#fusedRelus = fused ? findReluPairs(layers) : new Map();
    this.add(IMAGES, 'Placeholder', [], { dtype: type('float32'), shape: shape(IMAGES_SHAPE) });
  }

  add(name: string, op: string, inputs: string[], attributes: Node['attributes']): string {
    this.nodes.push({ name, op, inputs, attributes });
    return name;
  }

  write(layer: Layer): void {
    const { name } = layer;
    switch (layer.kind) {
      case 'conv':
        this.#conv(layer);
        break;
      case 'activation':
        if (!this.#fusedRelus.has(layer.input)) this.#activate(name, layer.input, layer.activation);
        break;
      case 'max-pool': {
        const window = { ksize: ints([1, 3, 3, 1]), strides: ints([1, 2, 2, 1]), padding: text('VALID') };
        this.add(name, 'MaxPool', [this.#pad(name, layer.input, 1)], {
          ...FLOAT,
          ...window,
          data_format: text('NHWC'),
        });
        break;
      }
      case 'mean': {
        const axes = this.#integers(`${name}/axes`, [2], [1, 2]);
        const attributes = { ...FLOAT, Tidx: type('int32'), keep_dims: { kind: 'bool', value: true } as const };
        this.add(name, 'Mean', [layer.input, axes], attributes);
        break;
      }
      case 'add':
        this.add(name, 'AddV2', layer.inputs, FLOAT);
        break;
      case 'multiply':
        this.add(name, 'Mul', layer.inputs, FLOAT);
        break;
      case 'dense': {
        const pixel = this.add(`${name}/squeeze`, 'Squeeze', [layer.input], { ...FLOAT, squeeze_dims: ints([1, 2]) });
        const weight = this.#weights(`${name}/kernel`, this.#constants.dense(layer, 'tensorflow'));
        const plain = { kind: 'bool', value: false } as const;
        const product = { ...FLOAT, transpose_a: plain, transpose_b: plain };
        const bias = this.#weights(`${name}/bias`, this.#constants.plain(`${name}.bias`, layer.outputs));
        this.#biased(name, 'MatMul', [pixel, weight], product, bias);
      }
    }
  }

  #conv(layer: ConvLayer): void {
    const { name, kernel, stride, padding } = layer;
    // Where nothing is skipped both ways of padding agree, and TensorFlow's own is the faster.
    const isSame = padding === 'same' || stride === 1 || kernel === 1;
    const input = isSame ? layer.input : this.#pad(name, layer.input, (kernel - 1) / 2);
    const attributes = {
      ...FLOAT,
      strides: ints([1, stride, stride, 1]),
      padding: text(isSame ? 'SAME' : 'VALID'),
      data_format: text('NHWC'),
      dilations: ints([1, 1, 1, 1]),
      explicit_paddings: ints([]),
    };
    const filter = this.#weights(`${name}/kernel`, this.#constants.foldedFilter(layer, 'tensorflow'));
    const bias = this.#weights(`${name}/bias`, this.#constants.foldedBias(layer));
    this.#biased(name, isDepthwise(layer) ? 'DepthwiseConv2dNative' : 'Conv2D', [input, filter], attributes, bias);
  }

  #biased(name: string, op: string, inputs: string[], attributes: Node['attributes'], bias: string): void {
    if (!this.#isFused) {
      this.add(`${name}/${op}`, op, inputs, attributes);
      this.add(name, 'BiasAdd', [`${name}/${op}`, bias], { ...FLOAT, data_format: text('NHWC') });
      return;
    }
    const relu = this.#fusedRelus.get(name);
    const fused = {
      fused_ops: { kind: 'strings', value: relu === undefined ? ['BiasAdd'] : ['BiasAdd', 'Relu'] },
      num_args: { kind: 'int', value: 1 },
      epsilon: { kind: 'float', value: 0 },
    } as const;
    this.add(relu ?? name, FUSED_NAMES[op]!, [...inputs, bias], { ...attributes, ...fused });
  }

  #activate(name: string, input: string, activation: ActivationName): void {
    const unary = (suffix: string, op: string, x: string) => this.add(`${name}${suffix}`, op, [x], FLOAT);
    const binary = (suffix: string, op: string, a: string, b: string) =>
      this.add(`${name}${suffix}`, op, [a, b], FLOAT);
    switch (activation) {
      case 'relu':
        unary('', 'Relu', input);
        break;
      case 'sigmoid':
        unary('', 'Sigmoid', input);
        break;
      case 'swish':
        binary('', 'Mul', input, unary('/sigmoid', 'Sigmoid', input));
        break;
      case 'hard-sigmoid':
      case 'hard-swish': {
        const shifted = binary('/shifted', 'AddV2', input, this.#number('three', 3));
        const clipped = unary('/clipped', 'Relu6', shifted);
        const isGate = activation === 'hard-sigmoid';
        const gate = binary(isGate ? '' : '/gate', 'Mul', clipped, this.#number('sixth', 1 / 6));
        if (!isGate) binary('', 'Mul', input, gate);
      }
    }
  }

  #pad(layer: string, input: string, margin: number): string {
    const sides = [0, 0, margin, margin, margin, margin, 0, 0];
    const paddings = this.#integers(`${layer}/paddings`, [4, 2], sides);
    return this.add(`${layer}/pad`, 'Pad', [input, paddings], { ...FLOAT, Tpaddings: type('int32') });
  }

  #weights(name: string, constant: Constant): string {
    const attributes = { dtype: type('float32'), value: { kind: 'weights', constant } } as const;
    return this.add(name, 'Const', [], attributes);
  }

  #integers(name: string, dimensions: number[], values: number[]): string {
    return this.#small(name, 'int32', dimensions, bytesOf(Int32Array.from(values)));
  }

  /** Once, however often it is needed. */
  #number(name: string, value: number): string {
    if (this.nodes.some((node) => node.name === name)) return name;
    return this.#small(name, 'float32', [], bytesOf(Float32Array.of(value)));
  }

  #small(name: string, dtype: DType, dimensions: number[], bytes: Uint8Array): string {
    const value = { kind: 'tensor', dtype, shape: dimensions, bytes } as const;
    return this.add(name, 'Const', [], { dtype: type(dtype), value });
  }
}

const FUSED_NAMES: Record<string, string> = {
  Conv2D: '_FusedConv2D',
  DepthwiseConv2dNative: 'FusedDepthwiseConv2dNative',
  MatMul: '_FusedMatMul',
};

/** ReLUs that are all that becomes of a convolution, by its name. */
function findReluPairs(layers: readonly Layer[]): Map<string, string> {
  const uses = new Map<string, number>();
  const inputsOf = (layer: Layer) => ('input' in layer ? [layer.input] : layer.inputs);
  for (const input of layers.flatMap(inputsOf)) uses.set(input, (uses.get(input) ?? 0) + 1);
  const convs = new Set(layers.flatMap(({ kind, name }) => (kind === 'conv' ? [name] : [])));
  return new Map(
    layers.flatMap((layer): [string, string][] => {
      const isRelu = layer.kind === 'activation' && layer.activation === 'relu';
      return isRelu && convs.has(layer.input) && uses.get(layer.input) === 1 ? [[layer.input, layer.name]] : [];
    }),
  );
}
