/** Labels of the images that have none: views are drawn for the next images while the teachers look at these. */
import type { LabellingConfig } from '@mealtable/protocol/run-config';
import type { ImageSplit } from '../data/dataset.ts';
import type { ImagePool } from '../data/image-pool.ts';
import { UnreadableImages } from '../data/unreadable-images.ts';
import type { Labeller } from './labeller.ts';
import type { KeyedLabelStore } from './open-stored-labels.ts';
import type { RecordWriter } from './record-writer.ts';

/** One view of neighbouring images, at most a batch: what one step looks at. */
export interface Piece {
  view: number;
  /** Places in the training split. */
  begin: number;
  end: number;
}

export interface LabelImagesOptions {
  store: KeyedLabelStore;
  pool: Pick<ImagePool, 'render'>;
  split: Pick<ImageSplit, 'length' | 'locate' | 'describe'>;
  config: LabellingConfig;
  records: Pick<RecordWriter, 'log'>;
}

/** Images without a label, drawn. */
interface Drawn {
  places: number[];
  pixels: Uint8Array;
}

export class LabelImages {
  readonly #options: LabelImagesOptions;
  readonly #unreadable: UnreadableImages;
  #labeller: Labeller | null = null;
  #computed = 0;
  #teacherMs = 0;
  #waitMs = 0;
  #steps = 0;
  #since = performance.now();

  constructor(options: LabelImagesOptions) {
    this.#options = options;
    this.#unreadable = new UnreadableImages({ train: options.split.length, val: 0 }, (line) =>
      options.records.log('warning', line),
    );
  }

  get unreadableCount(): number {
    return this.#unreadable.count;
  }

  /**
   * Gives a label to whatever in these pieces has none and can be read, and says so after each of them.
   * @param onPiece false ends it there
   * @returns whether all of them are done. Rejects with DatasetInvalidError when too many images are unreadable, with RunFailure
   * (out_of_memory, weights_missing) and file errors.
   */
  async fill(pieces: readonly Piece[], onPiece: (piece: Piece) => boolean): Promise<boolean> {
    let next = this.#start(pieces[0]);
    for (const [i, piece] of pieces.entries()) {
      const asked = performance.now();
      const drawn = await next;
      this.#waitMs += performance.now() - asked;
      next = this.#start(pieces[i + 1]);
      if (drawn !== null && drawn.places.length > 0) await this.#label(piece.view, drawn);
      this.#steps++;
      if (!onPiece(piece)) {
        await next.catch(() => null);
        return false;
      }
    }
    return true;
  }

  /** Metrics since the last call; those of the teachers only where they were asked. */
  takeMetrics(): Record<string, number> {
    const now = performance.now();
    const metrics = {
      ...(this.#computed > 0 && {
        'labels/images_per_s': (1000 * this.#computed) / Math.max(1, now - this.#since),
        'train/teacher_ms': this.#teacherMs / this.#steps,
        'train/data_wait_ms': this.#waitMs / this.#steps,
      }),
      ...(this.#unreadable.count > 0 && { 'data/unreadable_images': this.#unreadable.count }),
    };
    this.#computed = this.#teacherMs = this.#waitMs = this.#steps = 0;
    this.#since = now;
    return metrics;
  }

  /** Frees the teachers. */
  dispose(): void {
    this.#labeller?.dispose();
  }

  #start(piece: Piece | undefined): Promise<Drawn | null> {
    const drawing = piece === undefined ? Promise.resolve(null) : this.#draw(piece);
    // A piece that is never taken must not bring the process down; one that is taken rejects there.
    drawing.catch(() => {});
    return drawing;
  }

  /** Null where every image has its label. */
  async #draw({ view, begin, end }: Piece): Promise<Drawn | null> {
    const { store, pool, split } = this.#options;
    const all = Array.from({ length: end - begin }, (_, i) => begin + i);
    const { missing } = store.cache.records(
      all,
      all.map(() => view),
    );
    if (missing.length === 0) return null;
    const places = missing.map((position) => all[position]!);
    const locations = places.map((place) => split.locate(place));
    const { pixels, failures } = await pool.render(places, locations, view);
    const length = pixels.length / places.length;
    const readable = [...places.keys()].filter((i) => failures[i] === null);
    for (const [i, place] of places.entries())
      if (failures[i] !== null) this.#unreadable.note('train', split.describe(place), failures[i]!);
    for (const [to, from] of readable.entries()) pixels.copyWithin(to * length, from * length, (from + 1) * length);
    return { places: readable.map((i) => places[i]!), pixels: pixels.subarray(0, readable.length * length) };
  }

  async #label(view: number, { places, pixels }: Drawn): Promise<void> {
    const { store } = this.#options;
    this.#labeller ??= await store.createLabeller();
    const began = performance.now();
    const rows = await this.#labeller.label(pixels, places.length);
    this.#teacherMs += performance.now() - began;
    this.#computed += places.length;
    store.cache.append(
      places,
      places.map(() => view),
      rows,
    );
  }
}
