/** Where in the segments the label of an (image, view) pair lies: 4 bytes of memory per image and view that has labels. */
import type { Block } from './segment-format.ts';

/** One record's place. */
export interface RecordPlace {
  segment: number;
  position: number;
}

export class PairIndex {
  readonly #imageCount: number;
  readonly #recordBytes: number;
  /** For each view, the number of the record of each image, counted from 1 over all blocks; 0: none. */
  readonly #views = new Map<number, Uint32Array>();
  readonly #counts = new Map<number, number>();
  /** Of each block: the number of its first record, its segment, and where its records begin there. */
  readonly #first: number[] = [];
  readonly #segment: number[] = [];
  readonly #recordsAt: number[] = [];
  #next = 1;

  constructor(imageCount: number, recordBytes: number) {
    this.#imageCount = imageCount;
    this.#recordBytes = recordBytes;
  }

  /** The last block that holds a pair counts: it may have replaced an altered one. */
  add(segment: number, { pairs, recordsAt }: Block): void {
    this.#first.push(this.#next);
    this.#segment.push(segment);
    this.#recordsAt.push(recordsAt);
    for (let i = 0; i < pairs.length; i += 2, this.#next++) {
      const [place, view] = [pairs[i]!, pairs[i + 1]!];
      if (place >= this.#imageCount) continue;
      const records = this.#recordsOf(view);
      if (records[place] === 0) this.#counts.set(view, this.countOf(view) + 1);
      records[place] = this.#next;
    }
  }

  /** The number of the pair's record, 0 where there is none. Neighbours in a block have neighbouring numbers. */
  recordOf(place: number, view: number): number {
    return this.#views.get(view)?.[place] ?? 0;
  }

  /** Forgets the pair's record, which turned out to be altered. */
  remove(place: number, view: number): void {
    const records = this.#views.get(view);
    if (!records?.[place]) return;
    records[place] = 0;
    this.#counts.set(view, this.countOf(view) - 1);
  }

  /** Images that have a label for this view. */
  countOf(view: number): number {
    return this.#counts.get(view) ?? 0;
  }

  placeOf(record: number): RecordPlace {
    let [low, high] = [0, this.#first.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#first[middle]! <= record) low = middle;
      else high = middle - 1;
    }
    const position = this.#recordsAt[low]! + (record - this.#first[low]!) * this.#recordBytes;
    return { segment: this.#segment[low]!, position };
  }

  #recordsOf(view: number): Uint32Array {
    let records = this.#views.get(view);
    if (!records) {
      records = new Uint32Array(this.#imageCount);
      this.#views.set(view, records);
    }
    return records;
  }
}
