/** A computation as a captured graph where that is possible, op by op where it is not. */
import { nativeBackend } from '../engine/backend.ts';
import { CannotCapture, type CapturedStep, type CaptureOptions, capture, type Tensors } from '../engine/capture.ts';
import { watchParts } from '../engine/step-part.ts';
import { tf } from '../engine/tf.ts';
import { findOutOfMemory } from './run-failure.ts';

export class GraphOrEager<I extends Tensors> {
  readonly #compute: (inputs: I) => Tensors;
  readonly #options: Omit<CaptureOptions<I>, 'inputs'>;
  readonly #onFallback: (reason: string) => void;
  /** Undefined before the first inputs, null when it is computed op by op. */
  #captured: CapturedStep<I, Tensors> | null | undefined;
  /** Of the last inputs, where they were computed op by op. */
  #partMs: ReadonlyMap<string, number> = new Map();
  #hasRunPart = false;

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
    if (this.#captured !== null) return this.#captured.run(inputs, next);
    const { result, partMs } = watchParts(() => tf.tidy(() => this.#compute(inputs) as never) as Tensors);
    this.#partMs = partMs;
    return result;
  }

  /**
   * Milliseconds of a part of the computation (step-part.ts), for the inputs that `run` was given last: of a graph by computing the
   * part once more and alone, which changes nothing. Null where there is no such part.
   */
  timePart(name: string, inputs: I): number | null {
    if (!this.#captured) return this.#partMs.get(name) ?? null;
    if (!this.#captured.parts.has(name)) return null;
    // TensorFlow makes a program for it the first time.
    if (!this.#hasRunPart) tf.dispose(this.#captured.runPart(name, inputs));
    this.#hasRunPart = true;
    const began = performance.now();
    const last = this.#captured.runPart(name, inputs);
    const took = performance.now() - began;
    last.dispose();
    return took;
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
