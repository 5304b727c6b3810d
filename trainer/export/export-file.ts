/** Files of an export before they are written. */
import type { Message } from './protobuf.ts';

export interface ExportFile {
  /** Relative, with slashes. */
  path: string;
  chunks(): AsyncIterable<Uint8Array>;
}

export const messageFile = (path: string, message: Message): ExportFile => ({ path, chunks: () => message.chunks() });

export function textFile(path: string, text: string): ExportFile {
  const chunks = async function* () {
    yield new TextEncoder().encode(text);
  };
  return { path, chunks };
}

/** The bytes of float32 numbers as they lie in memory, which is little-endian wherever Node runs TensorFlow. */
export const bytesOf = (values: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
