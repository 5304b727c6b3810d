/** A graph at work: TensorFlow's own session, through tfjs-node's way into SavedModels. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs';
import type { NativeBackend } from '../backend.ts';
import { CannotCapture } from './cannot-capture.ts';

export class GraphSession {
  readonly #native: NativeBackend;
  readonly #id: number;
  #disposed = false;

  /** Loads the bytes of a saved_model.pb. Throws CannotCapture with TensorFlow's own words when it refuses the graph. */
  constructor(native: NativeBackend, savedModel: Uint8Array) {
    this.#native = native;
    // TensorFlow reads graphs from folders only.
    const folder = mkdtempSync(join(tmpdir(), 'mealtable-graph-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel);
      this.#id = native.binding.loadSavedModel(folder, 'serve');
    } catch (error) {
      throw new CannotCapture('loadSavedModel', (error as Error).message);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /**
   * Computes the edges of `fetches` ('node:0') from the tensors fed for the edges of `feeds`; the results are the caller's.
   * Holds the thread until all is done. Throws TensorFlow's error.
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Tensor[] {
    const ids = this.#native.getInputTensorIds([...feeds.values()]);
    const results = this.#native.binding.runSavedModel(this.#id, ids, [...feeds.keys()].join(), fetches.join());
    return results.map((metadata) => this.#native.createOutputTensor(metadata));
  }

  /** Frees the graph and its variables. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#native.binding.deleteSavedModel(this.#id);
  }
}
