/**
 * A run's soft labels out of caches that runs share: what no run has asked for yet the teachers compute, and it is kept. There is
 * one cache for each teacher where their probabilities are averaged, so that {T1}, {T2} and {T1, T2} share them too.
 */
import type { Batch } from '../data/loader.ts';
import { labelBatch } from '../labels/label-batch.ts';
import type { LabelCache } from '../labels/label-cache.ts';
import type { LabelRows } from '../labels/record-codec.ts';
import type { Labeller } from './labeller.ts';

export interface LabelStore {
  cache: LabelCache;
  /** Its share in the soft label; all stores' together are 1. */
  share: number;
  /** Loads the teachers of this store. Called once, when a label is missing for the first time. */
  createLabeller(): Promise<Labeller>;
}

/** Bytes of a view of training images as teachers see them, [places.length, T, T, 3]. */
export type RenderViews = (places: number[], view: number) => Promise<Uint8Array>;

export class StoredLabels {
  readonly #stores: readonly LabelStore[];
  readonly #warn: (line: string) => void;
  readonly #renderViews: RenderViews | null;
  readonly #labellers = new Map<LabelStore, Labeller>();
  #hasWarned = false;
  #asked = 0;
  #computed = 0;
  #teacherMs = 0;
  #batches = 0;

  /**
   * Takes over the stores. `warn` hears once when labels cannot be kept.
   * @param renderViews where teachers see images of a size of their own; they see the batch's unless given
   */
  constructor(stores: readonly LabelStore[], warn: (line: string) => void, renderViews: RenderViews | null = null) {
    this.#stores = stores;
    this.#warn = warn;
    this.#renderViews = renderViews;
  }

  /** The soft labels of a training batch, and mean logits if the stores have them. */
  async labelsOf(batch: Batch): Promise<LabelRows> {
    const { places, view } = batch.source!;
    const views = places.map(() => view);
    const rows: LabelRows[] = [];
    for (const store of this.#stores) {
      const labelled = await labelBatch(store.cache, places, views, (positions) =>
        this.#compute(store, batch, positions),
      );
      this.#asked += places.length;
      this.#computed += labelled.computed;
      if (labelled.storeError !== null) this.#explain(labelled.storeError);
      rows.push(labelled);
    }
    this.#batches++;
    return combine(
      rows,
      this.#stores.map(({ share }) => share),
    );
  }

  /** Metrics of the batches since the last call. */
  takeMetrics(): Record<string, number> {
    const metrics = {
      'labels/hit_rate': this.#asked === 0 ? 100 : 100 * (1 - this.#computed / this.#asked),
      'train/teacher_ms': this.#teacherMs / Math.max(1, this.#batches),
    };
    this.#asked = this.#computed = this.#teacherMs = this.#batches = 0;
    return metrics;
  }

  /** Frees teachers and files. */
  close(): void {
    for (const labeller of this.#labellers.values()) labeller.dispose();
    for (const { cache } of this.#stores) {
      try {
        cache.close();
      } catch (error) {
        this.#explain(error as Error);
      }
    }
  }

  async #compute(store: LabelStore, batch: Batch, positions: readonly number[]): Promise<LabelRows> {
    let labeller = this.#labellers.get(store);
    if (labeller === undefined) {
      labeller = await store.createLabeller();
      this.#labellers.set(store, labeller);
    }
    const began = performance.now();
    const rows = await labeller.label(await this.#imagesAt(batch, positions), positions.length);
    this.#teacherMs += performance.now() - began;
    return rows;
  }

  async #imagesAt({ pixels, size, source }: Batch, positions: readonly number[]): Promise<Uint8Array> {
    // Only here: with every label in the cache nobody needs the teachers' images.
    if (this.#renderViews !== null) {
      const places = positions.map((position) => source!.places[position]!);
      return this.#renderViews(places, source!.view);
    }
    const length = pixels.length / size;
    const missing = new Uint8Array(positions.length * length);
    for (const [to, from] of positions.entries())
      missing.set(pixels.subarray(from * length, (from + 1) * length), to * length);
    return missing;
  }

  #explain(error: Error): void {
    if (!this.#hasWarned)
      this.#warn(
        `Soft labels cannot be kept: ${error.message}. The run goes on and asks its teachers; make room in the cache folder for labels to be shared.`,
      );
    this.#hasWarned = true;
  }
}

/** The weighted mean of several stores' rows; of one they are as they are. */
export function combine(rows: readonly LabelRows[], shares: readonly number[]): LabelRows {
  if (rows.length === 1) return rows[0]!;
  const mean = (arrays: readonly Float32Array[]) =>
    Float32Array.from(arrays[0]!, (_, i) => arrays.reduce((sum, values, k) => sum + shares[k]! * values[i]!, 0));
  const logits = rows.map(({ meanLogits }) => meanLogits);
  return {
    probabilities: mean(rows.map(({ probabilities }) => probabilities)),
    meanLogits: logits.every((values) => values !== null) ? mean(logits) : null,
  };
}
