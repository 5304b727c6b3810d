/** Keeps count of images that cannot be read, and says when there are too many of them. */
import { MAX_UNREADABLE_SHARE } from '@mealtable/protocol/tunables';
import type { SplitName } from './dataset.ts';

/** The dataset cannot be trained on. The message is one sentence or more for the user. */
export class DatasetInvalidError extends Error {}

const NAMES_SHOWN = 3;

export class UnreadableImages {
  readonly #sizes: Record<SplitName, number>;
  readonly #paths: Record<SplitName, Set<string>> = { train: new Set(), val: new Set() };
  readonly #onFirst: (line: string) => void;

  /** @param sizes images of each split @param onFirst gets one line for each unreadable image, once */
  constructor(sizes: Record<SplitName, number>, onFirst: (line: string) => void) {
    this.#sizes = sizes;
    this.#onFirst = onFirst;
  }

  get count(): number {
    return this.#paths.train.size + this.#paths.val.size;
  }

  /** Notes a failure. Throws DatasetInvalidError when more than MAX_UNREADABLE_SHARE of the split has failed. */
  note(split: SplitName, path: string, reason: string): void {
    const paths = this.#paths[split];
    if (paths.has(path)) return;
    paths.add(path);
    this.#onFirst(`Image ${path} cannot be read and is left out: ${reason}`);
    const size = this.#sizes[split];
    if (paths.size <= MAX_UNREADABLE_SHARE * size) return;
    const shown = [...paths].slice(0, NAMES_SHOWN).join(', ');
    throw new DatasetInvalidError(
      `${paths.size} of the ${size} images in ${split}/ cannot be read, more than the ${100 * MAX_UNREADABLE_SHARE} % that are tolerated. Replace or remove them, for example ${shown}.`,
    );
  }
}
