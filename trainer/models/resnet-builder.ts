/** Creates a ResNet's variables under timm's names, in the order of PyTorch's state dict, with timm's initial values. */
import type { NetworkSpec } from '@mealtable/protocol/networks';
import type { Variable } from '@tensorflow/tfjs';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import type { ParameterStore } from '../weights/parameter-store.ts';
import { kaimingNormalFanOut, linearDefault } from './initialise.ts';
import type { ConvNorm } from './layers.ts';
import type { Block, ResNetLayers } from './resnet.ts';

/** Width of the stem, in the narrow variants too. */
const STEM_CHANNELS = 64;
const EXPANSION = { basic: 1, bottleneck: 4 } as const;

export class ResNetBuilder {
  readonly #store: ParameterStore;
  readonly #rng: Rng;

  constructor(store: ParameterStore, rng: Rng) {
    this.#store = store;
    this.#rng = rng;
  }

  build(spec: NetworkSpec, numClasses: number): ResNetLayers<ConvNorm, Variable> {
    const stem = this.#convNorm('conv1', 'bn1', [7, 7, 3, STEM_CHANNELS], 2);
    const blocks: Block<ConvNorm>[] = [];
    let inputs = STEM_CHANNELS;
    for (const [stage, planes] of spec.channels.entries()) {
      for (let index = 0; index < spec.layers[stage]!; index++) {
        const stride = stage > 0 && index === 0 ? 2 : 1;
        blocks.push(this.#block(`layer${stage + 1}.${index}`, spec.block, inputs, planes, stride));
        inputs = planes * EXPANSION[spec.block];
      }
    }
    return { stem, blocks, classifier: this.#dense('fc', inputs, numClasses) };
  }

  #block(name: string, kind: NetworkSpec['block'], inputs: number, planes: number, stride: 1 | 2): Block<ConvNorm> {
    const outputs = planes * EXPANSION[kind];
    const main =
      kind === 'basic'
        ? [
            this.#convNorm(`${name}.conv1`, `${name}.bn1`, [3, 3, inputs, planes], stride),
            this.#convNorm(`${name}.conv2`, `${name}.bn2`, [3, 3, planes, planes], 1, 0),
          ]
        : [
            this.#convNorm(`${name}.conv1`, `${name}.bn1`, [1, 1, inputs, planes], 1),
            this.#convNorm(`${name}.conv2`, `${name}.bn2`, [3, 3, planes, planes], stride),
            this.#convNorm(`${name}.conv3`, `${name}.bn3`, [1, 1, planes, outputs], 1, 0),
          ];
    const changes = stride !== 1 || inputs !== outputs;
    const shortcut = changes
      ? this.#convNorm(`${name}.downsample.0`, `${name}.downsample.1`, [1, 1, inputs, outputs], stride)
      : null;
    return { main, shortcut };
  }

  /** `gamma` starts at 0 in a block's last norm (timm's `zero_init_last`): the block starts as its residual path alone. */
  #convNorm(conv: string, norm: string, shape: [number, number, number, number], stride: 1 | 2, gamma = 1): ConvNorm {
    return tf.tidy(() => {
      const channels = [shape[3]];
      // Each filter has its own random stream, so that a weight does not depend on what was built before it.
      const initial = kaimingNormalFanOut(shape, this.#rng.stream(conv));
      const layer = {
        filter: this.#store.addParameter(`${conv}.weight`, 'conv', initial),
        stride,
        gamma: this.#store.addParameter(`${norm}.weight`, 'plain', tf.fill(channels, gamma)),
        beta: this.#store.addParameter(`${norm}.bias`, 'plain', tf.zeros(channels)),
        running: {
          mean: this.#store.addBuffer(`${norm}.running_mean`, tf.zeros(channels)),
          variance: this.#store.addBuffer(`${norm}.running_var`, tf.ones(channels)),
        },
      };
      this.#store.addCounter(`${norm}.num_batches_tracked`);
      return layer;
    });
  }

  #dense(name: string, inputs: number, outputs: number): { weight: Variable; bias: Variable } {
    return tf.tidy(() => {
      const { weight, bias } = linearDefault(inputs, outputs, this.#rng.stream(name));
      return {
        weight: this.#store.addParameter(`${name}.weight`, 'dense', weight),
        bias: this.#store.addParameter(`${name}.bias`, 'plain', bias),
      };
    });
  }
}
