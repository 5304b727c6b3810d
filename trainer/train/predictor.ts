/** Logits of a network for validation: a captured graph where that is possible. */
import type { Batch } from '../data/loader.ts';
import { nativeBackend } from '../engine/backend.ts';
import { CannotCapture, type CapturedStep, capture, type Tensors } from '../engine/capture.ts';
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
import { findOutOfMemory } from './run-failure.ts';

interface PredictorInputs extends Tensors {
  pixels: PackedPixels;
}

/** Computes in float32 whatever the training computes in: these are the numbers that end up in tables. */
export class Predictor {
  readonly #network: Network;
  readonly #batchSize: number;
  readonly #cache: GraphCache | null;
  readonly #normalisation: Normalisation;
  #captured: CapturedStep<PredictorInputs, Tensors> | null | undefined;

  /** `batchSize` is the largest batch to come. The network stays the caller's. */
  constructor(
    network: Network,
    batchSize: number,
    cache: GraphCache | null,
    normalisation: Normalisation = IMAGENET_NORMALISATION,
  ) {
    this.#network = network;
    this.#batchSize = batchSize;
    this.#cache = cache;
    this.#normalisation = normalisation;
  }

  /** Takes over the network's weights and statistics as they are now. */
  refresh(): void {
    this.#captured?.push();
  }

  /** Logits [batch.size, classes], row by row. */
  async predict({ pixels, size }: Batch): Promise<Float32Array> {
    const length = pixels.length / size;
    // A graph takes one shape: the last batch of a split is filled up with black images.
    const whole = new Uint8Array(this.#batchSize * length);
    whole.set(pixels);
    const inputs = { pixels: uploadPixels(whole, this.#batchSize) };
    if (this.#captured === undefined) this.#captured = nativeBackend() === null ? null : this.#capture(inputs);
    const { logits } =
      this.#captured === null ? (tf.tidy(() => this.#forward(inputs) as never) as Tensors) : this.#captured.run(inputs);
    const values = (await logits!.data()) as Float32Array;
    tf.dispose([inputs.pixels, logits!]);
    return values.subarray(0, size * this.#network.numClasses);
  }

  dispose(): void {
    this.#captured?.dispose();
  }

  /** Folding is part of the graph, so that later weights need no other graph. */
  #forward({ pixels }: PredictorInputs): Tensors {
    return { logits: this.#network.freeze().forward(normalisePixels(pixels, this.#normalisation)) };
  }

  #capture(inputs: PredictorInputs): CapturedStep<PredictorInputs, Tensors> | null {
    const { parameters, buffers } = this.#network;
    const variables = [...parameters.values(), ...buffers.values()];
    try {
      return capture((given: PredictorInputs) => this.#forward(given), { inputs, variables, cache: this.#cache });
    } catch (error) {
      if (!(error instanceof CannotCapture) || findOutOfMemory(error) !== null) throw error;
      return null;
    }
  }
}
