/** A dataset as every layout on disk gives it: classes, and for each split where its images lie and what they show. */
import { join } from 'node:path';
import type { PathTable } from './path-table.ts';

export const SPLITS = ['train', 'val'] as const;
export type SplitName = (typeof SPLITS)[number];

/** Where the bytes of one encoded image are. */
export interface ImageLocation {
  /** Absolute; bytes where the name is not UTF-8. */
  path: string | Uint8Array;
  offset: number;
  /** Null: to the end of the file. */
  length: number | null;
}

/** Images inside of tar files, one entry for each image. */
export interface ShardEntries {
  /** Index of the tar file in the split's table of files. */
  shards: Uint32Array;
  /** Doubles, because shards may pass 4 GiB. */
  offsets: Float64Array;
  lengths: Uint32Array;
}

/** What of a split is kept on disk. */
export interface SplitIndex {
  /** Relative to the dataset's folder, with '/': the images themselves, or the tar files that hold them. */
  files: PathTable;
  /** Class index of each image: class by class in a folder, as they lie in shards. */
  labels: Int32Array;
  /** Null where every image is a file. */
  entries: ShardEntries | null;
}

const isUtf8 = (bytes: Uint8Array) => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

/** An image's place in here, 0 to length - 1, is its identity in a run. */
export class ImageSplit {
  readonly #root: string;
  readonly #index: SplitIndex;

  constructor(root: string, index: SplitIndex) {
    this.#root = root;
    this.#index = index;
  }

  get length(): number {
    return this.#index.labels.length;
  }

  get labels(): Int32Array {
    return this.#index.labels;
  }

  locate(place: number): ImageLocation {
    const { files, entries } = this.#index;
    const file = entries === null ? place : entries.shards[place]!;
    const text = join(this.#root, files.textAt(file));
    const name = files.at(file);
    // U+FFFD is what bytes that are not UTF-8 turn into, and a name may hold it rightly.
    const path = text.includes('\ufffd') && !isUtf8(name) ? Buffer.concat([Buffer.from(`${this.#root}/`), name]) : text;
    if (entries === null) return { path, offset: 0, length: null };
    return { path, offset: entries.offsets[place]!, length: entries.lengths[place]! };
  }

  /** For people. */
  describe(place: number): string {
    return describeLocation(this.locate(place));
  }
}

export function describeLocation({ path, offset, length }: ImageLocation): string {
  const text = typeof path === 'string' ? path : Buffer.from(path).toString();
  return length === null ? text : `${text} (${length} bytes from ${offset})`;
}

export interface Dataset {
  /** Identities of the classes in the order of their indices: folder names, synsets or numbers. */
  classNames: string[];
  /** What people call the classes, in the same order; null where nothing says so. */
  classLabels: string[] | null;
  splits: Record<SplitName, ImageSplit>;
  /** Hash over names and sizes: equal fingerprints mean the same images. */
  fingerprint: string;
  /**
   * Empty when the dataset can be used, without images in `splits.train` for evaluation alone; otherwise sentences saying what is
   * wrong and how to mend it.
   */
  problems: string[];
  /** False once a folder or file that this was read from has changed. Looks at every folder, not at every image. */
  isUpToDate(): boolean;
}
