/** WebSocket frames (RFC 6455, 5.2), as far as a proxy must know them that deals with whole messages. */

const TEXT = 1;

interface Header {
  opcode: number;
  isFinal: boolean;
  mask: Buffer | null;
  payloadAt: number;
  payloadBytes: number;
}

function readHeader(bytes: Buffer): Header | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const payloadAt = 2 + lengthBytes + (isMasked ? 4 : 0);
  if (bytes.length < payloadAt) return null;
  const payloadBytes =
    lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return {
    opcode: bytes[0]! & 0x0f,
    isFinal: (bytes[0]! & 0x80) !== 0,
    mask: isMasked ? bytes.subarray(payloadAt - 4, payloadAt) : null,
    payloadAt,
    payloadBytes,
  };
}

/** Cuts one direction of a connection into whole frames. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    for (let header = readHeader(this.#rest); header; header = readHeader(this.#rest)) {
      const end = header.payloadAt + header.payloadBytes;
      if (this.#rest.length < end) break;
      frames.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/**
 * Whether the frame is a whole socket.io message: an event (42) or an ack (43). All else keeps the connection itself going,
 * and is no message of ours.
 */
export function isMessage(frame: Buffer): boolean {
  const header = readHeader(frame);
  if (!header || header.opcode !== TEXT || !header.isFinal) return false;
  const start = frame.subarray(header.payloadAt, header.payloadAt + 2);
  const text = header.mask ? Buffer.from(start.map((byte, i) => byte ^ header.mask![i]!)) : start;
  return ['42', '43'].includes(text.toString('latin1'));
}
