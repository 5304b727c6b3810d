/**
 * Protocol buffers, as far as TensorFlow's and ONNX's files need writing. Weights are not copied into messages: they are read when
 * their turn comes, so that a file needs no more memory than its largest tensor.
 * https://protobuf.dev/programming-guides/encoding
 */

/** Bytes that are made when they are written. */
export interface LazyBytes {
  length: number;
  load(): Promise<Uint8Array>;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

export class Message {
  readonly #parts: (Uint8Array | LazyBytes)[] = [];
  #length = 0;

  /** Bytes of the encoded message. */
  get length(): number {
    return this.#length;
  }

  /** int32, int64, bool, enum; negative ones as protocol buffers have them: ten bytes. */
  int(field: number, value: number | boolean): this {
    return this.#append(varint((field << 3) | VARINT), varint(Number(value)));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#append(varint((field << 3) | FIXED_32), bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array | LazyBytes): this {
    return this.#append(varint((field << 3) | LENGTH_DELIMITED), varint(value.length), value);
  }

  message(field: number, value: Message): this {
    return this.#append(varint((field << 3) | LENGTH_DELIMITED), varint(value.length), ...value.#parts);
  }

  /** A packed list of integers. */
  ints(field: number, values: readonly number[]): this {
    const parts = values.map(varint);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return this.#append(varint((field << 3) | LENGTH_DELIMITED), varint(length), ...parts);
  }

  /** The encoded message, part by part. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (const part of this.#parts) {
      if (part instanceof Uint8Array) yield part;
      else {
        const bytes = await part.load();
        if (bytes.length !== part.length) throw new Error(`${bytes.length} bytes came where ${part.length} were due.`);
        yield bytes;
      }
    }
  }

  #append(...parts: (Uint8Array | LazyBytes)[]): this {
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
