/** Creates layers' variables under timm's names, in the order of calls, which must be that of PyTorch's state dict. */
import type { Tensor, Tensor4D, Variable } from '@tensorflow/tfjs';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import type { Layout, ParameterStore } from '../weights/parameter-store.ts';
import { kaimingNormalFanOut, linearDefault, uniformWithin } from './initialise.ts';
import type { Conv, ConvNorm, Convolve, Dense } from './layers.ts';

export type FilterShape = [height: number, width: number, inputs: number, outputs: number];

export interface ConvOptions {
  convolve: Convolve;
  /**
   * How the filter lies in TensorFlow: 'conv' [h, w, in / groups, out], 'depthwise' [h, w, channels, 1]. Default 'conv'.
   */
  layout?: Extract<Layout, 'conv' | 'depthwise'>;
  /** Initial filter, in TensorFlow's layout. Default Kaiming normal over fan-out. */
  initialise?: (shape: FilterShape, rng: Rng) => Tensor4D;
}

export interface ConvNormOptions extends ConvOptions {
  /** `convolve` without gradients, where there is a faster one. */
  predict?: Convolve;
  /** Initial gamma; timm starts a ResNet block's last norm at 0 (`zero_init_last`). Default 1. */
  gamma?: number;
}

export class LayerBuilder {
  readonly #store: ParameterStore;
  readonly #rng: Rng | null;
  readonly #epsilon: number;

  /** Without `rng` every drawn number is 0 instead, for weights that are loaded next. `epsilon` is that of every batch norm. */
  constructor(store: ParameterStore, rng: Rng | null, epsilon: number) {
    this.#store = store;
    this.#rng = rng;
    this.#epsilon = epsilon;
  }

  /** A convolution without bias, and the batch norm behind it. */
  convNorm(conv: string, norm: string, shape: FilterShape, options: ConvNormOptions): ConvNorm {
    const { convolve, predict = convolve, layout = 'conv', gamma = 1 } = options;
    const channels = [layout === 'depthwise' ? shape[2] : shape[3]];
    const variables = tf.tidy(() => {
      const variables = {
        filter: this.#filter(conv, shape, options),
        gamma: this.#store.addParameter(`${norm}.weight`, 'plain', tf.fill(channels, gamma)),
        beta: this.#store.addParameter(`${norm}.bias`, 'plain', tf.zeros(channels)),
        running: {
          mean: this.#store.addBuffer(`${norm}.running_mean`, tf.zeros(channels)),
          variance: this.#store.addBuffer(`${norm}.running_var`, tf.ones(channels)),
        },
      };
      this.#store.addCounter(`${norm}.num_batches_tracked`);
      return variables;
    });
    return { ...variables, convolve, predict, layout, epsilon: this.#epsilon };
  }

  /** A convolution with a bias and no norm; the bias starts as `bias` or, by default, as `torch.nn.Conv2d` draws it. */
  conv(name: string, shape: FilterShape, options: ConvOptions & { bias?: number }): Conv<Variable> {
    const [height, width, inputs, outputs] = shape;
    const bound = 1 / Math.sqrt(height * width * inputs);
    const variables = tf.tidy(() => {
      const filter = this.#filter(name, shape, options);
      const initial =
        options.bias === undefined
          ? this.#draw(`${name}.bias`, [outputs], (rng) => uniformWithin(bound, [outputs], rng))
          : tf.fill([outputs], options.bias);
      const bias = this.#store.addParameter(`${name}.bias`, 'plain', initial);
      return { filter, bias };
    });
    return { ...variables, convolve: options.convolve };
  }

  /** `torch.nn.Linear` with its own initial values, or those given: weight [in, out], bias [out]. */
  dense(name: string, inputs: number, outputs: number, initialise = linearDefault): Dense<Variable> {
    return tf.tidy(() => {
      const { weight, bias } =
        this.#rng === null
          ? { weight: tf.zeros([inputs, outputs]), bias: tf.zeros([outputs]) }
          : initialise(inputs, outputs, this.#rng.stream(name));
      return {
        weight: this.#store.addParameter(`${name}.weight`, 'dense', weight),
        bias: this.#store.addParameter(`${name}.bias`, 'plain', bias),
      };
    });
  }

  #filter(name: string, shape: FilterShape, { layout = 'conv', initialise = kaimingNormalFanOut }: ConvOptions) {
    const initial = this.#draw(name, shape, (rng) => initialise(shape, rng));
    return this.#store.addParameter(`${name}.weight`, layout, initial);
  }

  /** Each array has its own random stream, so that a weight does not depend on what was built before it. */
  #draw(stream: string, shape: number[], draw: (rng: Rng) => Tensor): Tensor {
    return this.#rng === null ? tf.zeros(shape) : draw(this.#rng.stream(stream));
  }
}
