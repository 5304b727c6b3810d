/** Growing and reading bytes: variable-length integers and little-endian floats. */

/** Integers that `varint` carries without loss, after the sign was folded in. */
export const MAX_SIGNED = 2 ** 51;

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1_024);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + count));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** @param value a whole number, 0 to 2^53 - 1 */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** @param value a whole number of less than MAX_SIGNED either way */
  signed(value: number): void {
    this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  append(part: Uint8Array): void {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#bytes.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  /** What was written. The writer must not be used after it. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  offset = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    return this.bytes[this.offset++]!;
  }

  varint(): number {
    let value = this.bytes[this.offset++]!;
    if (value < 128) return value;
    value -= 128;
    for (let factor = 128; ; factor *= 128) {
      const byte = this.bytes[this.offset++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  take(count: number): Uint8Array {
    this.offset += count;
    return this.bytes.subarray(this.offset - count, this.offset);
  }

  float64(): number {
    const part = this.take(8);
    return new DataView(part.buffer, part.byteOffset, 8).getFloat64(0, true);
  }
}

/** Copies, because bytes out of a message lie at any address and typed arrays do not. */
export const toFloat64s = (bytes: Uint8Array): Float64Array => new Float64Array(new Uint8Array(bytes).buffer);
export const toFloat32s = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
export const toUint16s = (bytes: Uint8Array): Uint16Array => new Uint16Array(new Uint8Array(bytes).buffer);
export const bytesOf = (values: Float32Array | Float64Array | Uint16Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
