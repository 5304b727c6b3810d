/**
 * What ResNets and SENets share: a stem, bottlenecks or basic blocks with post-activation residuals, average pooling and a
 * classifier, as in `timm.models.resnet.ResNet`. K. He et al., "Deep residual learning for image recognition", CVPR 2016.
 */
import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { forwardConv2d } from '../engine/forward-conv.ts';
import { relu } from '../engine/relu.ts';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import { type FilterShape, LayerBuilder } from './layer-builder.ts';
import {
  activateAndPool,
  applyConv,
  applyConvNorm,
  type ConvNorm,
  type Convolve,
  classify,
  convolve,
  copyDense,
  type Dense,
  foldConvNorm,
} from './layers.ts';
import type { FrozenNetwork } from './network.ts';
import { copySqueezeExcite, type SqueezeExcite, squeezeExcite } from './squeeze-excite.ts';
import { StoredNetwork } from './stored-network.ts';

/** `L` is what stands at each convolution, `T` at each weight of the layers without batch norm. */
export interface ResidualLayers<L, T extends Tensor = Tensor> {
  /** A ReLU follows each; the pooling comes behind the last. */
  stem: L[];
  blocks: Block<L, T>[];
  classifier: Dense<T>;
}

export interface Block<L, T extends Tensor = Tensor> {
  /** A ReLU follows each but the last. */
  main: L[];
  /** Between the last convolution and the sum; null where there is none. */
  gate: SqueezeExcite<T> | null;
  /** Convolution on the residual path where shape or stride change, else null: the input itself. */
  shortcut: L | null;
}

const BATCH_NORM_EPSILON = 1e-5;

export class ResidualNetwork extends StoredNetwork {
  readonly #layers: ResidualLayers<ConvNorm, Variable>;

  constructor(
    name: NetworkName,
    numClasses: number,
    rng: Rng | null,
    build: (builder: LayerBuilder) => ResidualLayers<ConvNorm, Variable>,
  ) {
    super(name, numClasses);
    this.#layers = build(new LayerBuilder(this.store, rng, BATCH_NORM_EPSILON));
  }

  forward(images: Tensor4D, training: boolean): Tensor2D {
    return runLayers(this.#layers, images, (layer, x) => applyConvNorm(layer, x, training));
  }

  freeze(): FrozenNetwork {
    const { stem, blocks, classifier } = this.#layers;
    const layers = {
      stem: stem.map(foldConvNorm),
      blocks: blocks.map(({ main, gate, shortcut }) => ({
        main: main.map(foldConvNorm),
        gate: gate === null ? null : copySqueezeExcite(gate),
        shortcut: shortcut === null ? null : foldConvNorm(shortcut),
      })),
      classifier: copyDense(classifier),
    };
    return this.frozen(layers, (layers, images) => runLayers(layers, images, applyConv));
  }
}

/** timm's deep stem: 3x3 convolutions to `width` (stride 2), `width` and 2 `width` channels. */
export function deepStem(builder: LayerBuilder, width: number): ConvNorm[] {
  const conv = (index: number, norm: string, inputs: number, outputs: number, stride: 1 | 2): ConvNorm =>
    builder.convNorm(`conv1.${index}`, norm, [3, 3, inputs, outputs], evenly(stride));
  return [conv(0, 'conv1.1', 3, width, 2), conv(3, 'conv1.4', width, width, 1), conv(6, 'bn1', width, 2 * width, 1)];
}

/** The blocks of all four stages: of each but the first the first block halves the image. */
export function buildStages(
  layers: readonly number[],
  build: (name: string, stage: number, stride: 1 | 2) => Block<ConvNorm, Variable>,
): Block<ConvNorm, Variable>[] {
  return layers.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => build(`layer${stage + 1}.${i}`, stage, stage > 0 && i === 0 ? 2 : 1)),
  );
}

/** The residual path's convolution of one block, or null where the input itself fits. */
export function buildShortcut(
  builder: LayerBuilder,
  block: string,
  shape: FilterShape,
  stride: 1 | 2,
): ConvNorm | null {
  if (stride === 1 && shape[2] === shape[3]) return null;
  return builder.convNorm(`${block}.downsample.0`, `${block}.downsample.1`, shape, evenly(stride));
}

/** Ungrouped and padded alike on all sides. */
export function evenly(stride: 1 | 2): { convolve: Convolve; predict: Convolve } {
  return {
    convolve: (x, filter) => convolve(x, filter, stride),
    predict: (x, filter) => forwardConv2d(x, filter, stride),
  };
}

function runLayers<L>(
  { stem, blocks, classifier }: ResidualLayers<L>,
  images: Tensor4D,
  apply: (layer: L, x: Tensor4D) => Tensor4D,
): Tensor2D {
  return tf.tidy(() => {
    let x = tf.tidy(() => activateAndPool(chain(stem, images, apply)));
    for (const block of blocks) {
      const input = x;
      x = tf.tidy(() => runBlock(block, input, apply));
      // The gradient tape keeps what it needs; in prediction a block's input would be held for nothing.
      input.dispose();
    }
    return classify(x, classifier);
  });
}

function runBlock<L>(block: Block<L>, input: Tensor4D, apply: (layer: L, x: Tensor4D) => Tensor4D): Tensor4D {
  let x = chain(block.main, input, apply);
  if (block.gate !== null) x = squeezeExcite(block.gate, x, relu, tf.sigmoid);
  const residual = block.shortcut === null ? input : apply(block.shortcut, input);
  return relu(x.add(residual));
}

/** One convolution after another, a ReLU between any two. */
function chain<L>(layers: readonly L[], input: Tensor4D, apply: (layer: L, x: Tensor4D) => Tensor4D): Tensor4D {
  return layers.reduce((x, layer, i) => apply(layer, i === 0 ? x : relu(x)), input);
}
