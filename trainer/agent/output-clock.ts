/** When the bytes of a file that others write were first seen, in the memory of some hundred looks. */

/** Beyond this every other look is forgotten, and times become coarser. */
const MAX_LOOKS = 4_000;

interface Look {
  size: number;
  at: number;
}

export class OutputClock {
  #looks: Look[] = [];

  /** @param since when the file was begun, in case that its first bytes came before the first look */
  constructor(since: Look) {
    this.#looks.push(since);
  }

  /** The file has this size now. */
  note(size: number, at: number): void {
    const last = this.#looks.at(-1)!;
    if (size <= last.size) return;
    this.#looks.push({ size, at: Math.max(at, last.at) });
    if (this.#looks.length > MAX_LOOKS) this.#looks = this.#looks.filter((_, i) => i % 2 === 0 || i === MAX_LOOKS);
  }

  /** When the byte before this place was seen; never earlier for a later place. */
  timeOf(end: number): number {
    let low = 0;
    let high = this.#looks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#looks[middle]!.size < end) low = middle + 1;
      else high = middle;
    }
    return this.#looks[low]!.at;
  }
}
