/** Batches of images. Which images a step sees is a pure function of seed and step, so a resumed run goes on exactly. */
import type { Rng } from '../engine/rng.ts';
import type { ImageSplit } from './dataset.ts';
import type { ImagePool, Rendered } from './image-pool.ts';
import type { UnreadableImages } from './unreadable-images.ts';

export interface Batch {
  /** size x inputSize x inputSize x 3. */
  pixels: Uint8Array;
  /** The same crops at the teachers' size, where that is one of their own: size x teacherInputSize x teacherInputSize x 3. */
  teacherPixels?: Uint8Array;
  /** Class indices. */
  labels: Int32Array;
  size: number;
  /** Of training: which images these are, by their places in the split, and which view of each. */
  source?: BatchSource;
}

export interface BatchSource {
  places: number[];
  view: number;
}

export interface LoaderOptions {
  pool: ImagePool;
  split: Pick<ImageSplit, 'length' | 'labels' | 'locate' | 'describe'>;
  batchSize: number;
  unreadable: UnreadableImages;
  /** Batches that make up one update, of training; 1 unless given. */
  accumulation?: number | undefined;
  /** The view of all images in an epoch, of training; another one in every epoch unless given. */
  viewOf?: ((epoch: number) => number) | undefined;
  /** Sides of the student's and the teachers' input, of training, where batches bring both. */
  bothSizes?: readonly [inputSize: number, teacherInputSize: number] | undefined;
}

/** Training: every epoch in another random order, without the last partial batch or, with accumulation, the last partial update. */
export class TrainingBatches {
  readonly #options: LoaderOptions;
  readonly #rng: Rng;
  readonly #batchSize: number;
  readonly stepsPerEpoch: number;
  #order = { epoch: -1, places: new Uint32Array() };
  readonly #started = new Map<number, Promise<Batch>>();

  constructor(options: LoaderOptions, rng: Rng) {
    this.#options = options;
    this.#rng = rng;
    const count = options.split.length;
    // A dataset smaller than one batch is one batch; otherwise the rest of an epoch, another shape, is left out.
    this.#batchSize = Math.min(options.batchSize, count);
    const batches = Math.floor(count / this.#batchSize);
    const { accumulation = 1 } = options;
    // Epochs of less than one update are left as they are: an update then takes its batches from several of them.
    this.stepsPerEpoch = batches - (batches < accumulation ? 0 : batches % accumulation);
  }

  /** Begins to load the batch of a 0-based step, so that it is ready, or nearly, when `take` asks for it. */
  start(step: number): void {
    if (this.#started.has(step)) return;
    const loading = this.#load(step);
    // A batch that is never taken must not bring the process down; one that is taken rejects in `take`.
    loading.catch(() => {});
    this.#started.set(step, loading);
  }

  /** Begins to load as many of a fresh run's first batches as fit into `bytes`, one at least, of the first epoch. */
  startFirst(bytes: number, inputSize: number): void {
    const perBatch = this.#batchSize * 3 * (inputSize ** 2 + (this.#options.bothSizes?.[1] ?? 0) ** 2);
    const count = Math.max(1, Math.min(this.stepsPerEpoch, Math.floor(bytes / perBatch)));
    for (let step = 0; step < count; step++) this.start(step);
  }

  /** The batch of a 0-based step, which stays to be taken. Rejects as `take` does. */
  peek(step: number): Promise<Batch> {
    this.start(step);
    return this.#started.get(step)!;
  }

  /** The batch of a 0-based step. Rejects with DatasetInvalidError when too many images are unreadable. */
  take(step: number): Promise<Batch> {
    const loading = this.peek(step);
    this.#started.delete(step);
    return loading;
  }

  async #load(step: number): Promise<Batch> {
    const { pool, split, viewOf = (epoch) => epoch, bothSizes } = this.#options;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    const view = viewOf(epoch);
    const order = this.#orderOf(epoch);
    const begin = (step % this.stepsPerEpoch) * this.#batchSize;
    const places = [...order.subarray(begin, begin + this.#batchSize)];
    const rendered = await pool.render(
      places,
      places.map((place) => split.locate(place)),
      view,
      bothSizes,
    );
    await this.#replaceUnreadable(rendered, places, order, begin, view);
    return {
      pixels: rendered.pixels,
      ...(bothSizes && { teacherPixels: rendered.more[0]! }),
      labels: Int32Array.from(places, (place) => split.labels[place]!),
      size: places.length,
      source: { places, view },
    };
  }

  /** Puts the next readable image of the epoch's order, usually the batch's next one, where one could not be read. */
  async #replaceUnreadable(
    { pixels, more, failures }: Rendered,
    places: number[],
    order: Uint32Array,
    begin: number,
    view: number,
  ): Promise<void> {
    const { pool, split, unreadable, bothSizes } = this.#options;
    const all = [pixels, ...more];
    failures.forEach((reason, i) => {
      if (reason !== null) unreadable.note('train', split.describe(places[i]!), reason);
    });
    const lengthOf = (rendered: Uint8Array) => rendered.length / places.length;
    const readable = failures.map((reason) => reason === null);
    for (const position of places.keys()) {
      if (readable[position]) continue;
      for (let k = 1; ; k++) {
        // `note` throws long before the search has gone round.
        const place = order[(begin + position + k) % order.length]!;
        const within = position + k;
        if (within < places.length) {
          if (!readable[within]) continue;
          for (const rendered of all) {
            const length = lengthOf(rendered);
            rendered.copyWithin(position * length, within * length, (within + 1) * length);
          }
        } else {
          const single = await pool.render([place], [split.locate(place)], view, bothSizes);
          if (single.failures[0] !== null) {
            unreadable.note('train', split.describe(place), single.failures[0]!);
            continue;
          }
          for (const [i, image] of [single.pixels, ...single.more].entries())
            all[i]!.set(image, position * image.length);
        }
        places[position] = place;
        break;
      }
    }
  }

  #orderOf(epoch: number): Uint32Array {
    if (this.#order.epoch !== epoch) {
      const places = this.#rng.stream('order', epoch).permutation(this.#options.split.length);
      this.#order = { epoch, places: places as Uint32Array<ArrayBuffer> };
    }
    return this.#order.places;
  }
}

/**
 * Validation: every readable image once, in order, the next batch loading while one is used. Rejects with
 * DatasetInvalidError when too many are unreadable.
 */
export async function* validationBatches({ pool, split, batchSize, unreadable }: LoaderOptions): AsyncGenerator<Batch> {
  const load = (begin: number) => {
    const count = Math.min(batchSize, split.length - begin);
    const places = Array.from({ length: count }, (_, i) => begin + i);
    const loading = pool.render(
      places,
      places.map((place) => split.locate(place)),
      null,
    );
    loading.catch(() => {});
    return loading;
  };
  let next = load(0);
  for (let begin = 0; begin < split.length; begin += batchSize) {
    const rendered = await next;
    if (begin + batchSize < split.length) next = load(begin + batchSize);
    rendered.failures.forEach((reason, i) => {
      if (reason !== null) unreadable.note('val', split.describe(begin + i), reason);
    });
    const batch = keepReadable(rendered, split.labels.subarray(begin, begin + batchSize));
    if (batch.size > 0) yield batch;
  }
}

function keepReadable({ pixels, failures }: Rendered, labels: Int32Array): Batch {
  const kept = [...failures.keys()].filter((i) => failures[i] === null);
  if (kept.length === failures.length) return { pixels, labels, size: kept.length };
  const length = pixels.length / failures.length;
  for (const [to, from] of kept.entries()) pixels.copyWithin(to * length, from * length, (from + 1) * length);
  return {
    pixels: pixels.subarray(0, kept.length * length),
    labels: Int32Array.from(kept, (i) => labels[i]!),
    size: kept.length,
  };
}
