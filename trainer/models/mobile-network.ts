/** What EfficientNet and MobileNetV3 share: a 3x3 stem, blocks, a 1x1 convolution and a classifier around the pooling. */
import type { NetworkName } from '@mealtable/protocol/networks';
import type { MobileActivation, MobileNetworkSpec } from '@mealtable/protocol/networks-mobile';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { activate } from '../engine/activations.ts';
import type { Rng } from '../engine/rng.ts';
import { spatialMean } from '../engine/spatial-mean.ts';
import { tf } from '../engine/tf.ts';
import { uniformWithin } from './initialise.ts';
import { LayerBuilder } from './layer-builder.ts';
import {
  applyConv,
  applyConvNorm,
  type Conv,
  type ConvNorm,
  convolve,
  copyConv,
  copyDense,
  type Dense,
  foldConvNorm,
} from './layers.ts';
import { type BlockLayers, buildBlocks, foldBlock, type GateActivations, runBlock } from './mobile-block.ts';
import type { FrozenNetwork } from './network.ts';
import { StoredNetwork } from './stored-network.ts';

/** `L` is what stands at each convolution that has a batch norm, `T` at each weight of the layers without one. */
export interface MobileLayers<L, T extends Tensor = Tensor> {
  /** Of stem and head. */
  activation: MobileActivation;
  gateActivations: GateActivations;
  stem: L;
  blocks: BlockLayers<L, T>[];
  head: MobileHead<L, T>;
  classifier: Dense<T>;
}

/** The last convolution, on every pixel before the pooling or only once behind it. */
export type MobileHead<L, T extends Tensor = Tensor> =
  | { place: 'before-pooling'; conv: L }
  | { place: 'after-pooling'; conv: Conv<T> };

/** A family's own part: its head, and the activations in its squeeze-and-excitation. */
export interface MobileFamily {
  gateActivations: GateActivations;
  buildHead(spec: MobileNetworkSpec, inputs: number, builder: LayerBuilder): MobileHead<ConvNorm, Variable>;
}

export class MobileNetwork extends StoredNetwork {
  readonly #layers: MobileLayers<ConvNorm, Variable>;

  constructor(name: NetworkName, spec: MobileNetworkSpec, numClasses: number, rng: Rng | null, family: MobileFamily) {
    super(name, numClasses);
    const builder = new LayerBuilder(this.store, rng, spec.epsilon);
    // The order of the calls is that of timm's state dict.
    const stem = buildStem(spec, builder);
    const blocks = buildBlocks(spec, builder);
    const head = family.buildHead(spec, spec.stages.at(-1)!.at(-1)!.outputs, builder);
    const classifier = builder.dense('classifier', spec.head, numClasses, classifierDefault);
    const { gateActivations } = family;
    this.#layers = { activation: spec.activation, gateActivations, stem, blocks, head, classifier };
  }

  forward(images: Tensor4D, training: boolean): Tensor2D {
    return runLayers(this.#layers, images, (layer, x) => applyConvNorm(layer, x, training));
  }

  freeze(): FrozenNetwork {
    const { stem, blocks, head, classifier } = this.#layers;
    const layers: MobileLayers<Conv> = {
      ...this.#layers,
      stem: foldConvNorm(stem),
      blocks: blocks.map((block) => foldBlock(block, foldConvNorm)),
      head:
        head.place === 'before-pooling'
          ? { place: head.place, conv: foldConvNorm(head.conv) }
          : { place: head.place, conv: copyConv(head.conv) },
      classifier: copyDense(classifier),
    };
    return this.frozen(layers, (layers, images) => runLayers(layers, images, applyConv));
  }
}

function buildStem({ stem, padding }: MobileNetworkSpec, builder: LayerBuilder): ConvNorm {
  return builder.convNorm('conv_stem', 'bn1', [3, 3, 3, stem], {
    convolve: (x, filter) => (padding === 'same' ? tf.conv2d(x, filter, 2, 'same') : convolve(x, filter, 2)),
  });
}

/** TensorFlow's initial values, as timm draws them for these families: uniform in +-1/sqrt(classes), bias 0. */
function classifierDefault(inputs: number, outputs: number, rng: Rng): { weight: Tensor2D; bias: Tensor1D } {
  const weight = uniformWithin(1 / Math.sqrt(outputs), [inputs, outputs], rng) as Tensor2D;
  return { weight, bias: tf.zeros([outputs]) };
}

function runLayers<L>(
  { activation, gateActivations, stem, blocks, head, classifier }: MobileLayers<L>,
  images: Tensor4D,
  apply: (layer: L, x: Tensor4D) => Tensor4D,
): Tensor2D {
  return tf.tidy(() => {
    let x = tf.tidy(() => activate(activation, apply(stem, images)));
    for (const block of blocks) {
      const input = x;
      x = runBlock(block, input, apply, gateActivations);
      // Without a gradient to compute, nothing of a block is needed behind it.
      input.dispose();
    }
    const features =
      head.place === 'before-pooling'
        ? spatialMean(activate(activation, apply(head.conv, x)))
        : activate(activation, applyToPooled(head.conv, spatialMean(x)));
    return features.matMul(classifier.weight).add(classifier.bias) as Tensor2D;
  });
}

/** A 1x1 convolution of [N, in], which is a matrix product. */
function applyToPooled({ filter, bias }: Conv, x: Tensor2D): Tensor2D {
  const [, , inputs, outputs] = filter.shape as [number, number, number, number];
  return x.matMul(filter.reshape([inputs, outputs])).add(bias) as Tensor2D;
}
