/** The numbers of a sketch: read from a weights file when a format writes them, in the layout that it wants. */
import { elementCount } from '../weights/state-dict.ts';
import type { TensorInfo, TensorSource } from '../weights/tensor-source.ts';
import { type ConvLayer, type DenseLayer, isDepthwise, type Sketch } from './sketch.ts';

/** float32 numbers with a name, made when they are written. */
export interface Constant {
  name: string;
  shape: readonly number[];
  load(): Promise<Float32Array>;
}

/** PyTorch's OIHW, or TensorFlow's: HWIO, and [h, w, channels, 1] for depthwise convolutions. */
export type FilterLayout = 'pytorch' | 'tensorflow';

/** Of batch norm: gamma, beta, mean, variance. */
export const NORM_PARTS = ['weight', 'bias', 'running_mean', 'running_var'] as const;

export class Constants {
  readonly #source: TensorSource;

  constructor(source: TensorSource) {
    this.#source = source;
  }

  /** One number per output channel, as the file has it. */
  plain(key: string, length: number): Constant {
    return { name: key, shape: [length], load: () => this.#read(key) };
  }

  /** The filter, without what follows it. */
  filter(layer: ConvLayer, layout: FilterLayout): Constant {
    const key = `${layer.name}.weight`;
    return {
      name: key,
      shape: filterShape(layer, layout),
      load: async () => arrange(await this.#read(key), layer, layout),
    };
  }

  /**
   * The filter of a convolution that also does the work of the batch norm behind it:
   * gamma (w x - mean) / sqrt(variance + epsilon) + beta. In float64, rounded once.
   */
  foldedFilter(layer: ConvLayer, layout: FilterLayout): Constant {
    if (layer.norm === null) return this.filter(layer, layout);
    const key = `${layer.name}.weight`;
    const load = async () => {
      const [weights, { scale }] = await Promise.all([this.#read(key), this.#affine(layer)]);
      const perOutput = weights.length / layer.outputs;
      return arrange(
        weights.map((weight, i) => weight * scale[Math.floor(i / perOutput)]!),
        layer,
        layout,
      );
    };
    return { name: key, shape: filterShape(layer, layout), load };
  }

  /** What is then added to each channel. */
  foldedBias(layer: ConvLayer): Constant {
    const name = `${layer.name}.bias`;
    const load = async () => (layer.norm === null ? this.#read(name) : (await this.#affine(layer)).shift);
    return { name, shape: [layer.outputs], load };
  }

  /** [in, out] for TensorFlow, [out, in] for PyTorch. */
  dense({ name, inputs, outputs }: DenseLayer, layout: FilterLayout): Constant {
    const key = `${name}.weight`;
    if (layout === 'pytorch') return { name: key, shape: [outputs, inputs], load: () => this.#read(key) };
    const load = async () => transpose(await this.#read(key), [outputs, inputs], [1, 0]);
    return { name: key, shape: [inputs, outputs], load };
  }

  async #affine({ norm, outputs }: ConvLayer): Promise<{ scale: Float64Array; shift: Float32Array }> {
    const { name, epsilon } = norm!;
    const [gamma, beta, mean, variance] = await Promise.all(NORM_PARTS.map((part) => this.#read(`${name}.${part}`)));
    const scale = Float64Array.from({ length: outputs }, (_, c) => gamma![c]! / Math.sqrt(variance![c]! + epsilon));
    const shift = Float32Array.from({ length: outputs }, (_, c) => beta![c]! - mean![c]! * scale[c]!);
    return { scale, shift };
  }

  async #read(key: string): Promise<Float32Array> {
    const { dtype, data } = await this.#source.read(key);
    return dtype === 'F32' ? data : Float32Array.from(data as Float64Array);
  }
}

/**
 * One sentence when the file is not one of this network's: the first key that is missing, too much or of another shape.
 * Null when it is.
 */
export function explainOtherTensors({ layers }: Sketch, tensors: ReadonlyMap<string, TensorInfo>): string | null {
  const wanted = new Map<string, readonly number[]>();
  for (const layer of layers) {
    if (layer.kind === 'dense') {
      wanted.set(`${layer.name}.weight`, [layer.outputs, layer.inputs]);
      wanted.set(`${layer.name}.bias`, [layer.outputs]);
    }
    if (layer.kind !== 'conv') continue;
    wanted.set(`${layer.name}.weight`, filterShape(layer, 'pytorch'));
    if (layer.norm === null) wanted.set(`${layer.name}.bias`, [layer.outputs]);
    else for (const part of NORM_PARTS) wanted.set(`${layer.norm.name}.${part}`, [layer.outputs]);
  }
  for (const [key, shape] of wanted) {
    const found = tensors.get(key);
    if (found === undefined) return `the file has no tensor ${key}`;
    if (`${found.shape}` !== `${shape}`) return `its tensor ${key} is [${found.shape}] instead of [${shape}]`;
  }
  const other = [...tensors.keys()].find((key) => !wanted.has(key) && !key.endsWith('.num_batches_tracked'));
  return other === undefined ? null : `its tensor ${other} is none of this network’s`;
}

function filterShape(layer: ConvLayer, layout: FilterLayout): number[] {
  const { outputs, inputs, groups, kernel } = layer;
  if (layout === 'pytorch') return [outputs, inputs / groups, kernel, kernel];
  return isDepthwise(layer) ? [kernel, kernel, outputs, 1] : [kernel, kernel, inputs / groups, outputs];
}

function arrange(weights: Float32Array, layer: ConvLayer, layout: FilterLayout): Float32Array {
  if (layout === 'pytorch') return weights;
  return transpose(weights, filterShape(layer, 'pytorch'), isDepthwise(layer) ? [2, 3, 0, 1] : [2, 3, 1, 0]);
}

/** Axis k of the result is axis `order[k]` of what is given. */
function transpose(values: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const result = new Float32Array(values.length);
  const index = order.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from]!;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      const stride = strides[order[axis]!]!;
      index[axis]!++;
      from += stride;
      if (index[axis]! < shape[order[axis]!]!) break;
      from -= stride * index[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
