/**
 * ResNet as timm builds it: `timm.models.resnet.ResNet` with a plain 7x7 stem, "v1.5" bottlenecks (the 3x3 carries the
 * stride) and post-activation residuals. K. He et al., "Deep residual learning for image recognition", CVPR 2016.
 */
import type { NetworkName, NetworkSpec } from '@mealtable/protocol/networks';
import type { Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { relu } from '../engine/relu.ts';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { kaimingNormalFanOut, linearDefault } from './initialise.ts';
import type { BatchNorm } from './layers.ts';
import { activateAndPool, classify, convolve, normalise } from './layers.ts';
import type { Network } from './network.ts';

/** Width of the stem, in the narrow variants too. */
const STEM_CHANNELS = 64;
const EXPANSION = { basic: 1, bottleneck: 4 } as const;

/** A convolution and the batch norm behind it. */
interface ConvNorm {
  filter: Variable;
  stride: 1 | 2;
  norm: BatchNorm;
}

interface Block {
  main: ConvNorm[];
  /** Convolution on the residual path where shape or stride change, else null: the input itself. */
  shortcut: ConvNorm | null;
}

export class ResNet implements Network {
  readonly name: NetworkName;
  readonly numClasses: number;
  readonly #store = new ParameterStore();
  readonly #stem: ConvNorm;
  readonly #blocks: Block[];
  readonly #classifier: { weight: Variable; bias: Variable };

  constructor(name: NetworkName, spec: NetworkSpec, numClasses: number, rng: Rng) {
    this.name = name;
    this.numClasses = numClasses;
    const build = new Builder(this.#store, rng);
    this.#stem = build.convNorm('conv1', 'bn1', [7, 7, 3, STEM_CHANNELS], 2);
    this.#blocks = [];
    let inputs = STEM_CHANNELS;
    for (const [stage, planes] of spec.channels.entries()) {
      for (let index = 0; index < spec.layers[stage]!; index++) {
        const stride = stage > 0 && index === 0 ? 2 : 1;
        this.#blocks.push(build.block(`layer${stage + 1}.${index}`, spec.block, inputs, planes, stride));
        inputs = planes * EXPANSION[spec.block];
      }
    }
    this.#classifier = build.dense('fc', inputs, numClasses);
  }

  get parameters(): ReadonlyMap<string, Variable> {
    return this.#store.parameters;
  }

  get buffers(): ReadonlyMap<string, Variable> {
    return this.#store.buffers;
  }

  forward(images: Tensor4D, training: boolean): Tensor2D {
    return tf.tidy(() => {
      let x = activateAndPool(apply(this.#stem, images, training));
      for (const block of this.#blocks) x = applyBlock(block, x, training);
      return classify(x, this.#classifier.weight, this.#classifier.bias);
    });
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

function apply({ filter, stride, norm }: ConvNorm, x: Tensor4D, training: boolean): Tensor4D {
  return normalise(convolve(x, filter, stride), norm, training);
}

function applyBlock(block: Block, input: Tensor4D, training: boolean): Tensor4D {
  let x = input;
  for (const [i, layer] of block.main.entries()) {
    x = apply(layer, x, training);
    if (i < block.main.length - 1) x = relu(x);
  }
  const residual = block.shortcut === null ? input : apply(block.shortcut, input, training);
  return relu(x.add(residual));
}

/** Creates variables in the order of PyTorch's state dict, with timm's initial values. */
class Builder {
  readonly #store: ParameterStore;
  readonly #rng: Rng;

  constructor(store: ParameterStore, rng: Rng) {
    this.#store = store;
    this.#rng = rng;
  }

  block(name: string, kind: NetworkSpec['block'], inputs: number, planes: number, stride: 1 | 2): Block {
    const outputs = planes * EXPANSION[kind];
    const main: ConvNorm[] =
      kind === 'basic'
        ? [
            this.convNorm(`${name}.conv1`, `${name}.bn1`, [3, 3, inputs, planes], stride),
            this.convNorm(`${name}.conv2`, `${name}.bn2`, [3, 3, planes, planes], 1, 0),
          ]
        : [
            this.convNorm(`${name}.conv1`, `${name}.bn1`, [1, 1, inputs, planes], 1),
            this.convNorm(`${name}.conv2`, `${name}.bn2`, [3, 3, planes, planes], stride),
            this.convNorm(`${name}.conv3`, `${name}.bn3`, [1, 1, planes, outputs], 1, 0),
          ];
    const changes = stride !== 1 || inputs !== outputs;
    const shortcut = changes
      ? this.convNorm(`${name}.downsample.0`, `${name}.downsample.1`, [1, 1, inputs, outputs], stride)
      : null;
    return { main, shortcut };
  }

  /** `gamma` starts at 0 in a block's last norm (timm's `zero_init_last`): the block starts as its residual path alone. */
  convNorm(conv: string, norm: string, shape: [number, number, number, number], stride: 1 | 2, gamma = 1): ConvNorm {
    return tf.tidy(() => {
      const channels = shape[3];
      // Each filter has its own random stream, so that a weight does not depend on what was built before it.
      const initial = kaimingNormalFanOut(shape, this.#rng.stream(conv));
      const filter = this.#store.addParameter(`${conv}.weight`, 'conv', initial);
      const scale = this.#store.addParameter(`${norm}.weight`, 'plain', tf.fill([channels], gamma));
      const shift = this.#store.addParameter(`${norm}.bias`, 'plain', tf.zeros([channels]));
      const mean = this.#store.addBuffer(`${norm}.running_mean`, tf.zeros([channels]));
      const variance = this.#store.addBuffer(`${norm}.running_var`, tf.ones([channels]));
      this.#store.addCounter(`${norm}.num_batches_tracked`);
      return { filter, stride, norm: { gamma: scale, beta: shift, running: { mean, variance } } };
    });
  }

  dense(name: string, inputs: number, outputs: number): { weight: Variable; bias: Variable } {
    return tf.tidy(() => {
      const { weight, bias } = linearDefault(inputs, outputs, this.#rng.stream(name));
      return {
        weight: this.#store.addParameter(`${name}.weight`, 'dense', weight),
        bias: this.#store.addParameter(`${name}.bias`, 'plain', bias),
      };
    });
  }
}
