/**
 * One label as bytes. A record has a fixed size: the probabilities, then the mean logits where the key wants them, then a
 * checksum. What the numbers become on the way:
 *
 * - `full`: every probability as float16. Decoded and divided by their sum, as float16 leaves it up to 2^-11 beside 1.
 * - `top-k`: the k most probable classes (ties: the lower class first) with their probabilities, and the mass m of all others,
 *   summed before rounding. Decoded, m is spread evenly: every other class gets m / (C - k), FKD's marginal smoothing; again
 *   divided by the sum. All classes beside the k together carry m before and after, so at most m (1 - 1/(C - k)) of the
 *   distribution is in another place than it was (total variation distance); the k stay what they were.
 * - float16's part in either case: a decoded number d of f, the number before rounding in a row that sums to 1, has
 *   |d - f| <= 1.002 (2^-10 + n 2^-25) f + 2^-24, n = C numbers in a row for `full` and k + 1 for `top-k`, n up to 30 000.
 *   Probabilities up to 2^-25 become 0.
 * - mean logits: z - c as float16 and c, the row's mean, as float32. A softmax does not see c; a discriminator does, so it is
 *   kept and is exact up to float32. z comes back within (2^-11 + 2^-22) |z - c| + 2^-24 (1 + |c|).
 */
import { crc32 } from 'node:zlib';
import { FLOAT16_VALUES, isFiniteFloat16, toFloat16 } from './float16.ts';
import type { LabelKey } from './key.ts';

/** The labels of N views, row by row. */
export interface LabelRows {
  /** [N, C], rows sum to 1. */
  probabilities: Float32Array;
  /** [N, C], or null where the key has no mean logits. */
  meanLogits: Float32Array | null;
}

/** Rows sum to 1 up to rounding, or they are not probabilities. */
const SUM_TOLERANCE = 1e-3;
/** 32 bits of float32 or checksum in 16-bit words. */
const WORDS_32 = 2;

const single = new Float32Array(1);
const singleWords = new Uint16Array(single.buffer);

export class RecordCodec {
  /** Of one record; even, so that records can be read as 16-bit words. */
  readonly recordBytes: number;
  readonly #classCount: number;
  /** 0: full. */
  readonly #k: number;
  readonly #meanLogits: boolean;
  readonly #labelWords: number;
  readonly #payloadWords: number;
  readonly #topClasses: Int32Array;

  constructor({ classCount, labels, meanLogits }: Pick<LabelKey, 'classCount' | 'labels' | 'meanLogits'>) {
    this.#classCount = classCount;
    this.#k = labels.kind === 'full' ? 0 : labels.k;
    this.#meanLogits = meanLogits;
    this.#labelWords = labels.kind === 'full' ? classCount : 2 * labels.k + 1;
    this.#payloadWords = this.#labelWords + (meanLogits ? WORDS_32 + classCount : 0);
    this.recordBytes = 2 * (this.#payloadWords + WORDS_32);
    this.#topClasses = new Int32Array(this.#k);
  }

  /** Zeros for `count` views. */
  allocate(count: number): LabelRows {
    const length = count * this.#classCount;
    return {
      probabilities: new Float32Array(length),
      meanLogits: this.#meanLogits ? new Float32Array(length) : null,
    };
  }

  /** Throws a RangeError unless `rows` are probabilities, and logits if there should be, of `count` views. */
  requireShape({ probabilities, meanLogits }: LabelRows, count: number): void {
    const length = count * this.#classCount;
    if (probabilities.length !== length || (this.#meanLogits && meanLogits?.length !== length))
      throw new RangeError(
        `The labels of ${count} views must be ${count} rows of ${this.#classCount} probabilities` +
          `${this.#meanLogits ? ' and as many mean logits' : ''}.`,
      );
  }

  /**
   * Writes row `row` as the record of (place, view) to words[at...]. Throws a RangeError for what is not a distribution and
   * for logits beyond float16: a network that computes NaN must not leave it to every later run.
   */
  encode(rows: LabelRows, row: number, place: number, view: number, words: Uint16Array, at: number): void {
    const begin = row * this.#classCount;
    const probabilities = rows.probabilities.subarray(begin, begin + this.#classCount);
    let sum = 0;
    for (const probability of probabilities) sum += probability >= 0 ? probability : Number.NaN;
    if (!(Math.abs(sum - 1) <= SUM_TOLERANCE))
      throw new RangeError(`The labels of image ${place}, view ${view} are no probabilities that sum to 1.`);
    if (this.#k === 0) for (let c = 0; c < probabilities.length; c++) words[at + c] = toFloat16(probabilities[c]!);
    else this.#encodeTop(probabilities, words, at);
    if (this.#meanLogits) {
      const logits = rows.meanLogits!.subarray(begin, begin + this.#classCount);
      if (!encodeLogits(logits, words, at + this.#labelWords))
        throw new RangeError(`The mean logits of image ${place}, view ${view} are no numbers that float16 can hold.`);
    }
    const checksum = this.#checksum(words, at, place, view);
    words[at + this.#payloadWords] = checksum & 0xffff;
    words[at + this.#payloadWords + 1] = checksum >>> 16;
  }

  /** Whether words[at...] are, unaltered, the record of (place, view). */
  isIntact(words: Uint16Array, at: number, place: number, view: number): boolean {
    const checksum = this.#checksum(words, at, place, view);
    const low = words[at + this.#payloadWords];
    return low === (checksum & 0xffff) && words[at + this.#payloadWords + 1] === checksum >>> 16;
  }

  /** Writes the record at words[at...] to row `row`; the record must be intact. */
  decode(words: Uint16Array, at: number, rows: LabelRows, row: number): void {
    const begin = row * this.#classCount;
    const probabilities = rows.probabilities.subarray(begin, begin + this.#classCount);
    if (this.#k === 0) decodeFull(words, at, probabilities);
    else this.#decodeTop(words, at, probabilities);
    if (!this.#meanLogits) return;
    const logits = rows.meanLogits!.subarray(begin, begin + this.#classCount);
    const from = at + this.#labelWords;
    singleWords[0] = words[from]!;
    singleWords[1] = words[from + 1]!;
    const mean = single[0]!;
    for (let c = 0; c < logits.length; c++) logits[c] = FLOAT16_VALUES[words[from + WORDS_32 + c]!]! + mean;
  }

  #encodeTop(probabilities: Float32Array, words: Uint16Array, at: number): void {
    const [k, top] = [this.#k, this.#topClasses];
    let mass = 0;
    for (let c = 0; c < probabilities.length; c++) {
      const probability = probabilities[c]!;
      let slot = Math.min(c, k);
      if (slot === k) {
        if (probability <= probabilities[top[k - 1]!]!) {
          mass += probability;
          continue;
        }
        mass += probabilities[top[k - 1]!]!;
        slot = k - 1;
      }
      for (; slot > 0 && probability > probabilities[top[slot - 1]!]!; slot--) top[slot] = top[slot - 1]!;
      top[slot] = c;
    }
    for (let i = 0; i < k; i++) {
      words[at + i] = top[i]!;
      words[at + k + i] = toFloat16(probabilities[top[i]!]!);
    }
    words[at + 2 * k] = toFloat16(mass);
  }

  #decodeTop(words: Uint16Array, at: number, probabilities: Float32Array): void {
    const k = this.#k;
    const mass = FLOAT16_VALUES[words[at + 2 * k]!]!;
    let sum = mass;
    for (let i = 0; i < k; i++) sum += FLOAT16_VALUES[words[at + k + i]!]!;
    probabilities.fill(mass / sum / (probabilities.length - k));
    for (let i = 0; i < k; i++) probabilities[words[at + i]!] = FLOAT16_VALUES[words[at + k + i]!]! / sum;
  }

  /** Begins with where the record belongs, so that an intact record in a wrong place does not pass. */
  #checksum(words: Uint16Array, at: number, place: number, view: number): number {
    const payload = new Uint8Array(words.buffer, words.byteOffset + 2 * at, 2 * this.#payloadWords);
    return crc32(payload, (Math.imul(place, 0x9e3779b1) ^ Math.imul(view, 0x85ebca77)) >>> 0);
  }
}

function decodeFull(words: Uint16Array, at: number, probabilities: Float32Array): void {
  let sum = 0;
  for (let c = 0; c < probabilities.length; c++) sum += FLOAT16_VALUES[words[at + c]!]!;
  const scale = 1 / sum;
  for (let c = 0; c < probabilities.length; c++) probabilities[c] = FLOAT16_VALUES[words[at + c]!]! * scale;
}

/** Whether all of them could be written. */
function encodeLogits(logits: Float32Array, words: Uint16Array, at: number): boolean {
  let sum = 0;
  for (const logit of logits) sum += logit;
  single[0] = sum / logits.length;
  const mean = single[0]!;
  let finite = Number.isFinite(mean);
  words[at] = singleWords[0]!;
  words[at + 1] = singleWords[1]!;
  for (let c = 0; c < logits.length; c++) {
    const word = toFloat16(logits[c]! - mean);
    words[at + WORDS_32 + c] = word;
    finite &&= isFiniteFloat16(word);
  }
  return finite;
}
