/** When the bytes of a growing file were written, as well as looking at it now and then can tell. */

/** Beyond this every other look is forgotten, and times become coarser. */
const MAX_LOOKS = 4_000;

/** The file had this size from the one time to the other, milliseconds since 1970. */
interface Look {
  size: number;
  at: number;
  until: number;
}

export class OutputClock {
  #looks: Look[];

  /** @param size bytes that came before @param at when the file was begun: what is there at the first look came since */
  constructor(size: number, at: number) {
    this.#looks = [{ size, at, until: at }];
  }

  /** The file has this size now. */
  note(size: number, now: number): void {
    const last = this.#looks.at(-1)!;
    const at = Math.max(now, last.until);
    if (size <= last.size) {
      last.until = at;
      return;
    }
    this.#looks.push({ size, at, until: at });
    if (this.#looks.length > MAX_LOOKS) this.#looks = this.#looks.filter((_, i) => i % 2 === 0 || i === MAX_LOOKS);
  }

  /** Between two looks bytes are taken to have come evenly. Never earlier for a later place. */
  timeOf(end: number): number {
    let low = 0;
    let high = this.#looks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#looks[middle]!.size < end) low = middle + 1;
      else high = middle;
    }
    const look = this.#looks[low]!;
    const before = this.#looks[low - 1];
    if (!before) return look.at;
    const share = Math.min(1, (end - before.size) / (look.size - before.size));
    return Math.round(before.until + share * (look.at - before.until));
  }
}
