/**
 * Many file names in little memory: one buffer of bytes and where each begins. A million JavaScript strings would take a
 * gigabyte; and names on disk are bytes, not all of them UTF-8.
 */

const MAX_BYTES = 0xffff_ffff;

export class PathTable {
  readonly bytes: Uint8Array;
  /** length + 1 numbers: name i lies at starts[i] to starts[i + 1]. */
  readonly starts: Uint32Array;

  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
  }

  get length(): number {
    return this.starts.length - 1;
  }

  /** The name's bytes, not copied. */
  at(index: number): Uint8Array {
    return this.bytes.subarray(this.starts[index]!, this.starts[index + 1]!);
  }

  /** The name for people: bytes that are not UTF-8 show as U+FFFD. */
  textAt(index: number): string {
    return Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.starts[index]!,
      this.at(index).length,
    ).toString();
  }
}

/** Grows by doubling, so that adding n names copies 2n at most. */
export class PathTableBuilder {
  #bytes = new Uint8Array(1 << 12);
  #used = 0;
  #starts = new Uint32Array(1 << 8);
  #count = 0;

  /** Throws a RangeError when all names together pass 4 GiB. */
  add(name: Uint8Array): void {
    const end = this.#used + name.length;
    if (end > MAX_BYTES) throw new RangeError('The names of all files together are longer than 4 GiB.');
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(2 * this.#bytes.length, end), MAX_BYTES));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
    }
    if (this.#count + 2 > this.#starts.length) {
      const grown = new Uint32Array(2 * this.#starts.length);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#bytes.set(name, this.#used);
    this.#used = end;
    this.#starts[++this.#count] = end;
  }

  /** Views of what was added; the builder is used up. */
  build(): PathTable {
    return new PathTable(this.#bytes.subarray(0, this.#used), this.#starts.subarray(0, this.#count + 1));
  }
}
