/** A computation as a captured graph where that is possible, op by op where it is not. */
import { nativeBackend } from '../engine/backend.ts';
import { CannotCapture, type CapturedStep, type CaptureOptions, capture, type Tensors } from '../engine/capture.ts';
import { tf } from '../engine/tf.ts';
import { findOutOfMemory } from './run-failure.ts';

export class GraphOrEager<I extends Tensors> {
  readonly #compute: (inputs: I) => Tensors;
  readonly #options: Omit<CaptureOptions<I>, 'inputs'>;
  readonly #onFallback: (reason: string) => void;
  /** Undefined before the first inputs, null when it is computed op by op. */
  #captured: CapturedStep<I, Tensors> | null | undefined;

  /** `onFallback` hears why there is no graph, where one could be expected. */
  constructor(
    compute: (inputs: I) => Tensors,
    options: Omit<CaptureOptions<I>, 'inputs'>,
    onFallback: (reason: string) => void = () => {},
  ) {
    this.#compute = compute;
    this.#options = options;
    this.#onFallback = onFallback;
  }

  /** False once it is known that there is no graph. */
  get mayBeGraph(): boolean {
    return this.#captured !== null;
  }

  /** The first inputs decide the shapes of all. The results are the caller's. Throws TensorFlow's error, e.g. for want of memory. */
  run(inputs: I, next: I | null = null): Tensors {
    if (this.#captured === undefined) this.#captured = nativeBackend() === null ? null : this.#capture(inputs);
    if (this.#captured === null) return tf.tidy(() => this.#compute(inputs) as never) as Tensors;
    return this.#captured.run(inputs, next);
  }

  push(): void {
    this.#captured?.push();
  }

  pull(): void {
    this.#captured?.pull();
  }

  dispose(): void {
    this.#captured?.dispose();
  }

  #capture(inputs: I): CapturedStep<I, Tensors> | null {
    try {
      return capture(this.#compute, { ...this.#options, inputs });
    } catch (error) {
      if (!(error instanceof CannotCapture) || findOutOfMemory(error) !== null) throw error;
      this.#onFallback(error.message);
      return null;
    }
  }
}
