/**
 * ResNet as timm builds it: `timm.models.resnet.ResNet` with a plain 7x7 stem, "v1.5" bottlenecks (the 3x3 carries the
 * stride) and post-activation residuals. K. He et al., "Deep residual learning for image recognition", CVPR 2016.
 */
import type { NetworkName, NetworkSpec } from '@mealtable/protocol/networks';
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { relu } from '../engine/relu.ts';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { activateAndPool, applyConvNorm, applyFoldedConv, type ConvNorm, classify, foldConvNorm } from './layers.ts';
import type { FrozenNetwork, Network } from './network.ts';
import { ResNetBuilder } from './resnet-builder.ts';

/** The layers of a ResNet; `L` is what stands at each convolution. */
export interface ResNetLayers<L, D extends Tensor = Tensor> {
  stem: L;
  blocks: Block<L>[];
  classifier: { weight: D; bias: D };
}

export interface Block<L> {
  main: L[];
  /** Convolution on the residual path where shape or stride change, else null: the input itself. */
  shortcut: L | null;
}

export class ResNet implements Network {
  readonly name: NetworkName;
  readonly numClasses: number;
  readonly #store = new ParameterStore();
  readonly #layers: ResNetLayers<ConvNorm, Variable>;

  constructor(name: NetworkName, spec: NetworkSpec, numClasses: number, rng: Rng) {
    this.name = name;
    this.numClasses = numClasses;
    this.#layers = new ResNetBuilder(this.#store, rng).build(spec, numClasses);
  }

  get parameters(): ReadonlyMap<string, Variable> {
    return this.#store.parameters;
  }

  get buffers(): ReadonlyMap<string, Variable> {
    return this.#store.buffers;
  }

  forward(images: Tensor4D, training: boolean): Tensor2D {
    return runLayers(this.#layers, images, (layer, x) => applyConvNorm(layer, x, training));
  }

  freeze(): FrozenNetwork {
    const { stem, blocks, classifier } = this.#layers;
    const layers = {
      stem: foldConvNorm(stem),
      blocks: blocks.map(({ main, shortcut }) => ({
        main: main.map(foldConvNorm),
        shortcut: shortcut === null ? null : foldConvNorm(shortcut),
      })),
      classifier: { weight: classifier.weight.clone(), bias: classifier.bias.clone() },
    };
    return {
      name: this.name,
      numClasses: this.numClasses,
      forward: (images) => runLayers(layers, images, applyFoldedConv),
      // `tf.dispose` walks the whole structure.
      dispose: () => tf.dispose(layers as never),
    };
  }

  toStateDict(): Promise<StateDict> {
    return this.#store.toStateDict();
  }

  loadStateDict(stateDict: StateDict): void {
    this.#store.loadStateDict(stateDict);
  }

  dispose(): void {
    this.#store.dispose();
  }
}

function runLayers<L>(
  { stem, blocks, classifier }: ResNetLayers<L>,
  images: Tensor4D,
  apply: (layer: L, x: Tensor4D) => Tensor4D,
): Tensor2D {
  return tf.tidy(() => {
    let x = activateAndPool(apply(stem, images));
    for (const block of blocks) x = runBlock(block, x, apply);
    return classify(x, classifier.weight, classifier.bias);
  });
}

function runBlock<L>(block: Block<L>, input: Tensor4D, apply: (layer: L, x: Tensor4D) => Tensor4D): Tensor4D {
  let x = input;
  for (const [i, layer] of block.main.entries()) {
    x = apply(layer, x);
    if (i < block.main.length - 1) x = relu(x);
  }
  const residual = block.shortcut === null ? input : apply(block.shortcut, input);
  return relu(x.add(residual));
}
