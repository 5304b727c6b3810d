/** Logits of a network for validation: a captured graph where that is possible. */
import type { Batch } from '../data/loader.ts';
import type { Tensors } from '../engine/capture.ts';
import type { GraphCache } from '../engine/graph/cache.ts';
import {
  IMAGENET_NORMALISATION,
  type Normalisation,
  normalisePixels,
  type PackedPixels,
  uploadPixels,
} from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { Network } from '../models/network.ts';
import { GraphOrEager } from './graph-or-eager.ts';

interface PredictorInputs extends Tensors {
  pixels: PackedPixels;
}

/** Computes in float32 whatever the training computes in: these are the numbers that end up in tables. */
export class Predictor {
  readonly #network: Network;
  readonly #batchSize: number;
  readonly #normalisation: Normalisation;
  readonly #graph: GraphOrEager<PredictorInputs>;

  /** `batchSize` is the largest batch to come. The network stays the caller's. */
  constructor(
    network: Network,
    batchSize: number,
    cache: GraphCache | null,
    normalisation: Normalisation = IMAGENET_NORMALISATION,
  ) {
    this.#network = network;
    this.#batchSize = batchSize;
    this.#normalisation = normalisation;
    const variables = [...network.parameters.values(), ...network.buffers.values()];
    this.#graph = new GraphOrEager((inputs: PredictorInputs) => this.#forward(inputs), { variables, cache });
  }

  /** Takes over the network's weights and statistics as they are now. */
  refresh(): void {
    this.#graph.push();
  }

  /** Logits [batch.size, classes], row by row. */
  async predict({ pixels, size }: Batch): Promise<Float32Array> {
    const length = pixels.length / size;
    // A graph takes one shape: the last batch of a split is filled up with black images.
    const whole = new Uint8Array(this.#batchSize * length);
    whole.set(pixels);
    const inputs = { pixels: uploadPixels(whole, this.#batchSize) };
    const { logits } = this.#graph.run(inputs);
    const values = (await logits!.data()) as Float32Array;
    tf.dispose([inputs.pixels, logits!]);
    return values.subarray(0, size * this.#network.numClasses);
  }

  dispose(): void {
    this.#graph.dispose();
  }

  /** Folding is part of the graph, so that later weights need no other graph. */
  #forward({ pixels }: PredictorInputs): Tensors {
    return { logits: this.#network.freeze().forward(normalisePixels(pixels, this.#normalisation)) };
  }
}
