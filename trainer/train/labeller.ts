/** What teachers say of images whose labels are not kept yet: a captured graph where that is possible. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { meanLogits, sharesOf, softLabels } from '../distill/soft-labels.ts';
import type { Precision, Tensors } from '../engine/capture.ts';
import type { GraphCache } from '../engine/graph/cache.ts';
import { normalisePixels, type PackedPixels, uploadPixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { LabelRows } from '../labels/record-codec.ts';
import type { FrozenNetwork } from '../models/network.ts';
import { GraphOrEager } from './graph-or-eager.ts';
import type { Steps } from './step-memory.ts';

interface LabellerInputs extends Tensors {
  pixels: PackedPixels;
}

export interface LabellerOptions {
  /** Images of a batch, which fewer are filled up to. */
  batchSize: number;
  mean: 'probability' | 'logit';
  temperature: number;
  /** What each teacher counts; only ratios matter. */
  weights: readonly number[];
  /** Whether mean logits are wanted. */
  logits: boolean;
  precision: Precision;
  cache: GraphCache | null;
}

export class Labeller {
  /** The largest number of images at a time; a batch's unless set to more. */
  atOnce: number;
  readonly #teachers: readonly FrozenNetwork[];
  readonly #options: LabellerOptions;
  /** By the number of images that they take. */
  readonly #graphs = new Map<number, GraphOrEager<LabellerInputs>>();

  /** Takes over the teachers. */
  constructor(teachers: readonly FrozenNetwork[], options: LabellerOptions) {
    this.#teachers = teachers;
    this.#options = options;
    this.atOnce = options.batchSize;
  }

  /** What a whole batch takes, put as a step. */
  get steps(): Steps {
    return {
      variables: [],
      constants: this.#constants,
      step: (images) => tf.tidy(() => ({ loss: this.#answer(images).soft_labels!.sum(), parts: {} }) as never),
    };
  }

  /** Labels of `count` images, `atOnce` at most, bytes [count, S, S, 3]. Throws TensorFlow's error, e.g. when memory does not suffice. */
  async label(pixels: Uint8Array, count: number): Promise<LabelRows> {
    const batchSize = count <= this.#options.batchSize ? this.#options.batchSize : this.atOnce;
    // A graph takes one shape: what is missing to a whole batch are black images.
    const whole = new Uint8Array(batchSize * (pixels.length / count));
    whole.set(pixels);
    const inputs = { pixels: uploadPixels(whole, batchSize) };
    try {
      const answer = this.#graphOf(batchSize).run(inputs);
      const read = async (tensor: Tensors[string]) =>
        ((await tensor.data()) as Float32Array).subarray(0, count * tensor.shape[1]!);
      try {
        const { soft_labels: soft, mean_logits: logits } = answer;
        return { probabilities: await read(soft!), meanLogits: logits === undefined ? null : await read(logits) };
      } finally {
        tf.dispose(answer);
      }
    } finally {
      tf.dispose(inputs.pixels);
    }
  }

  dispose(): void {
    for (const graph of this.#graphs.values()) graph.dispose();
    for (const teacher of this.#teachers) teacher.dispose();
  }

  #graphOf(batchSize: number): GraphOrEager<LabellerInputs> {
    let graph = this.#graphs.get(batchSize);
    if (graph === undefined) {
      const { precision, cache } = this.#options;
      const capturing = { variables: [], constants: this.#constants, precision, cache };
      graph = new GraphOrEager((inputs: LabellerInputs) => this.#ask(inputs), capturing);
      this.#graphs.set(batchSize, graph);
    }
    return graph;
  }

  get #constants(): Tensor[] {
    return this.#teachers.flatMap(({ weights }) => weights);
  }

  #ask({ pixels }: LabellerInputs): Tensors {
    return this.#answer(normalisePixels(pixels));
  }

  #answer(images: Tensor4D): Tensors {
    const { mean, temperature, weights, logits: wantsLogits } = this.#options;
    const shares = sharesOf(weights);
    const logits: Tensor2D[] = this.#teachers.map((teacher) => teacher.forward(images));
    return {
      soft_labels: softLabels(logits, { mean, temperature, shares }),
      ...(wantsLogits && { mean_logits: meanLogits(logits, shares) }),
    };
  }
}
