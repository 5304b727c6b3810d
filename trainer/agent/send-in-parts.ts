/**
 * One try to send a file by the tus protocol: it goes on where the hub says that it has everything before, part after part,
 * and ends at the first fault. What was sent by then is not sent again.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type DetailedError, Upload, type UploadOptions } from 'tus-js-client';
import type { BlobRef } from './blob-cache.ts';

const READ_BYTES = 256 * 1024;

export interface PartsOptions {
  /** Address at which uploads are created. */
  endpoint: string;
  /** Where an earlier try has begun; null to begin. */
  uploadUrl: string | null;
  token: string;
  partBytes: number;
  /** A hub that neither takes bytes nor answers for so long is taken for gone. */
  silenceMs: number;
  signal: AbortSignal;
  /** Called before the first byte is sent. */
  onBegun(uploadUrl: string): void;
}

export type PartsResult =
  | { kind: 'sent'; uploadUrl: string }
  /** The file here has another size, or cannot be read to its end. */
  | { kind: 'unusable' }
  | { kind: 'refused'; message: string }
  | { kind: 'unreachable'; message: string };

/** @throws the system's error when the file cannot be opened */
export async function sendInParts(path: string, blob: BlobRef, options: PartsOptions): Promise<PartsResult> {
  // Open throughout: a trainer that deletes the folder meanwhile takes nothing away.
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size !== blob.sizeBytes) return { kind: 'unusable' };
    return await send(file, blob, options);
  } finally {
    await file.close();
  }
}

function send(file: FileHandle, blob: BlobRef, options: PartsOptions): Promise<PartsResult> {
  const { signal, silenceMs } = options;
  return new Promise((resolve) => {
    let body: Readable | null = null;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const end = (result: PartsResult) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // It only closes the connection, which has no fault to tell.
      void upload.abort();
      if (body && !body.closed) body.once('close', () => resolve(result)).destroy();
      else resolve(result);
    };
    const hear = () => {
      if (isOver) return;
      clearTimeout(timer);
      timer = setTimeout(() => end({ kind: 'unreachable', message: `silent for ${silenceMs} ms` }), silenceMs);
    };
    const onAbort = () => end({ kind: 'unreachable', message: 'stopped' });
    const fileReader = {
      openFile: async () => ({
        size: blob.sizeBytes,
        slice: async (start: number, endsBefore: number) => {
          const last = Math.min(endsBefore, blob.sizeBytes);
          body = Readable.from(readSlice(file, start, last), { objectMode: false, highWaterMark: READ_BYTES });
          // The library pipes it and hears no fault of it.
          body.on('error', () => end({ kind: 'unusable' }));
          return { value: Object.assign(body, { size: last - start }), done: last >= blob.sizeBytes };
        },
        close: () => {},
      }),
    };
    const upload = new Upload(file as unknown as Buffer, {
      endpoint: options.endpoint,
      uploadUrl: options.uploadUrl,
      headers: { authorization: `Bearer ${options.token}` },
      metadata: { sha256: blob.sha256 },
      chunkSize: options.partBytes,
      // The caller tries again, for as long as it takes.
      retryDelays: null,
      storeFingerprintForResuming: false,
      fingerprint: async () => '',
      fileReader: fileReader as NonNullable<UploadOptions['fileReader']>,
      onUploadUrlAvailable: () => {
        hear();
        if (upload.url !== null && !isOver) options.onBegun(upload.url);
      },
      onProgress: hear,
      onChunkComplete: hear,
      onSuccess: () => end({ kind: 'sent', uploadUrl: upload.url as string }),
      onError: (error) => end(explain(error)),
    });
    signal.addEventListener('abort', onAbort);
    hear();
    if (signal.aborted) onAbort();
    else upload.start();
  });
}

/** By the handle, which stays open when the stream ends early; a stream of the system's own would close it. */
async function* readSlice(file: FileHandle, start: number, endsBefore: number): AsyncGenerator<Buffer> {
  for (let position = start; position < endsBefore; ) {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, endsBefore - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error(`The file ends at ${position}, before ${endsBefore}.`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function explain(error: Error | DetailedError): PartsResult {
  const reply = 'originalResponse' in error ? error.originalResponse : null;
  if (reply && reply.getStatus() > 0) {
    const text = reply.getBody().slice(0, 300).trim();
    const status = reply.getStatus();
    return { kind: 'refused', message: `HTTP ${status}${text ? `: ${text}` : ''}` };
  }
  const cause = ('causingError' in error ? error.causingError : null) as NodeJS.ErrnoException | null;
  return { kind: 'unreachable', message: cause?.code || cause?.message || error.message };
}
