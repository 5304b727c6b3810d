/**
 * Seeded random numbers that are the same on every machine and can be re-entered anywhere: a stream is a pure function of
 * its seed and labels, so "the crop of image 17 in epoch 4" is `rng.stream('crop', 4, 17)` whatever was drawn before it.
 */
import { philox4x32 } from './philox.ts';

/** Third counter word of blocks that derive keys; blocks that draw numbers have 0 there, so the two never meet. */
const KEY_DERIVATION = 0x6b657973;
const TWO_32 = 0x1_0000_0000;

export type Label = string | number;

/** Where a generator stands: JSON-able, restored by `Rng.fromState`. */
export interface RngState {
  key: [number, number];
  /** 32-bit words drawn so far. */
  position: number;
}

export class Rng {
  readonly #key: readonly [number, number];
  readonly #block = new Uint32Array(4);
  #position: number;
  #loadedBlock = -1;

  private constructor(key: readonly [number, number], position: number) {
    this.#key = key;
    this.#position = position;
  }

  /** A generator for a seed (any safe integer) and, optionally, the labels of one of its independent streams. */
  static seeded(seed: number, ...labels: Label[]): Rng {
    return new Rng(deriveKey([0, 0], [seed, ...labels]), 0);
  }

  static fromState(state: RngState): Rng {
    return new Rng([...state.key], state.position);
  }

  state(): RngState {
    return { key: [...this.#key], position: this.#position };
  }

  /** The independent stream with these labels. It does not depend on, nor move, this generator's position. */
  stream(...labels: Label[]): Rng {
    return new Rng(deriveKey(this.#key, labels), 0);
  }

  /** Uniform 32-bit word. */
  word(): number {
    const block = Math.floor(this.#position / 4);
    if (block !== this.#loadedBlock) {
      philox4x32(this.#block, this.#key[0], this.#key[1], block % TWO_32, Math.floor(block / TWO_32), 0, 0);
      this.#loadedBlock = block;
    }
    return this.#block[this.#position++ % 4]!;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 0x4000000 + low) / 0x20_0000_0000_0000;
  }

  /** Uniform whole number in [0, bound), without bias; `bound` up to 2^32. */
  integer(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1 || bound > TWO_32) {
      throw new RangeError(`The bound of a random whole number must be from 1 to 2^32, not ${bound}.`);
    }
    const limit = TWO_32 - (TWO_32 % bound);
    for (;;) {
      const word = this.word();
      if (word < limit) return word % bound;
    }
  }

  /** Standard normal (Box-Muller). V8 brings its own log and cos, so the digits do not depend on the system's libm. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * Fills `values` with normal numbers of mean 0 and the given standard deviation. Five times as fast as as many calls of
   * `normal`: both halves of each Box-Muller pair are used, and 32 random bits each, which float32 cannot tell from more.
   */
  fillNormal(values: Float32Array, deviation: number): void {
    for (let i = 0; i < values.length; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log((this.word() + 1) / TWO_32));
      const angle = (2 * Math.PI * this.word()) / TWO_32;
      values[i] = radius * Math.cos(angle);
      if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
    }
  }

  /** Fills `values` with numbers uniform in [low, high), 32 random bits each. */
  fillUniform(values: Float32Array, low: number, high: number): void {
    for (let i = 0; i < values.length; i++) values[i] = low + ((high - low) * this.word()) / TWO_32;
  }

  /** A uniformly random order of 0..n-1 (Fisher-Yates). */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swap = order[i]!;
      order[i] = order[j]!;
      order[j] = swap;
    }
    return order;
  }
}

/** Absorbs labels into a key, one Philox block per word; type and length go in first, so ('a', 'b') differs from ('ab'). */
function deriveKey(key: readonly [number, number], labels: readonly Label[]): [number, number] {
  let [k0, k1] = key;
  const block = new Uint32Array(4);
  const absorb = (w0: number, w1: number): void => {
    philox4x32(block, k0, k1, w0, w1, KEY_DERIVATION, 0);
    k0 = block[0]!;
    k1 = block[1]!;
  };
  for (const label of labels) {
    if (typeof label === 'number') {
      if (!Number.isSafeInteger(label)) throw new RangeError(`A seed or label must be a whole number, not ${label}.`);
      absorb(1, 0);
      absorb(label >>> 0, Math.floor(label / TWO_32) >>> 0);
    } else {
      const bytes = new TextEncoder().encode(label);
      absorb(2, bytes.length);
      for (let i = 0; i < bytes.length; i += 4) {
        absorb(bytes[i]! | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24), i);
      }
    }
  }
  return [k0, k1];
}
