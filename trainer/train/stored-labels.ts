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

/** Batches whose soft labels may be computed before their turn: more would not fill a processor any better. */
export const MAX_BATCHES_AHEAD = 3;

/** Batches that come after the one that is asked for, loaded, in their order. */
export type Upcoming = () => Promise<readonly Batch[]>;

/** Bytes of a view of training images as teachers see them, [places.length, T, T, 3]. */
export type RenderViews = (places: number[], view: number) => Promise<Uint8Array>;

export class StoredLabels {
  readonly #stores: readonly LabelStore[];
  readonly #warn: (line: string) => void;
  readonly #renderViews: RenderViews | null;
  readonly #labellers = new Map<LabelStore, Labeller>();
  /** What was computed for batches that are still to come, by batch and store. */
  readonly #ahead = new WeakMap<Batch, Map<LabelStore, Computed>>();
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

  /**
   * The soft labels of a training batch, and mean logits if the stores have them. Where some are missing, those of batches to come
   * are computed along with them, as many as the teachers take at once: many images cost less than few, several times over.
   */
  async labelsOf(batch: Batch, upcoming: Upcoming = async () => []): Promise<LabelRows> {
    const { places, view } = batch.source!;
    const views = places.map(() => view);
    const rows: LabelRows[] = [];
    for (const store of this.#stores) {
      const labelled = await labelBatch(store.cache, places, views, (positions) =>
        this.#compute(store, batch, positions, upcoming),
      );
      const before = this.#ahead.get(batch)?.get(store);
      this.#asked += places.length;
      this.#computed += labelled.computed + (before?.images ?? 0);
      this.#teacherMs += before?.ms ?? 0;
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

  async #compute(
    store: LabelStore,
    batch: Batch,
    positions: readonly number[],
    upcoming: Upcoming,
  ): Promise<LabelRows> {
    let labeller = this.#labellers.get(store);
    if (labeller === undefined) {
      labeller = await store.createLabeller();
      this.#labellers.set(store, labeller);
    }
    const asked = [
      { batch, positions },
      ...(await this.#missingAhead(store, batch, positions, labeller.atOnce, upcoming)),
    ];
    const count = asked.reduce((sum, { positions: some }) => sum + some.length, 0);
    const images = await Promise.all(asked.map(({ batch: of, positions: some }) => this.#imagesAt(of, some)));
    const began = performance.now();
    const rows = await labeller.label(Buffer.concat(images), count);
    const perImage = (performance.now() - began) / count;
    this.#teacherMs += perImage * positions.length;
    let from = positions.length;
    for (const { batch: of, positions: some } of asked.slice(1)) {
      this.#keepAhead(store, of, some, slice(rows, from, some.length, count));
      this.#ahead.set(of, new Map(this.#ahead.get(of)).set(store, { images: some.length, ms: perImage * some.length }));
      from += some.length;
    }
    return slice(rows, 0, positions.length, count);
  }

  /** Which images of batches to come have no label, each once, until the teachers have `atOnce` with `positions` of this batch. */
  async #missingAhead(
    store: LabelStore,
    batch: Batch,
    positions: readonly number[],
    atOnce: number,
    upcoming: Upcoming,
  ) {
    const found: { batch: Batch; positions: number[] }[] = [];
    let room = atOnce - positions.length;
    // What cannot be kept is not computed before it is needed.
    if (room <= 0 || this.#hasWarned) return found;
    const pairOf = ({ source }: Batch, position: number) => `${source!.places[position]} ${source!.view}`;
    const seen = new Set(positions.map((position) => pairOf(batch, position)));
    for (const next of await upcoming()) {
      const { places, view } = next.source!;
      const { missing } = store.cache.lookup(
        places,
        places.map(() => view),
      );
      const fresh = missing.filter((position) => {
        const pair = pairOf(next, position);
        return !seen.has(pair) && seen.add(pair);
      });
      if (fresh.length > room) break;
      if (fresh.length > 0) found.push({ batch: next, positions: fresh });
      room -= fresh.length;
    }
    return found;
  }

  #keepAhead(store: LabelStore, { source }: Batch, positions: readonly number[], rows: LabelRows): void {
    const { places, view } = source!;
    const { storeError } = store.cache.appendOrDecode(
      positions.map((position) => places[position]!),
      positions.map(() => view),
      rows,
    );
    if (storeError !== null) this.#explain(storeError);
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

/** What teachers computed of a batch, and how long they took for it. */
interface Computed {
  images: number;
  ms: number;
}

/** `length` of `count` rows. */
function slice({ probabilities, meanLogits }: LabelRows, from: number, length: number, count: number): LabelRows {
  const cut = (values: Float32Array) =>
    values.subarray((from * values.length) / count, ((from + length) * values.length) / count);
  return { probabilities: cut(probabilities), meanLogits: meanLogits && cut(meanLogits) };
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
