/** Sending a stored file: whole or a part of it, with its hash as ETag, always as a download and never as a page. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { BlobStore, Span } from './blob-store.ts';

export interface StoredFile {
  sha256: string;
  /** Name that the browser saves it under; letters, digits, dots, dashes and underscores only. */
  fileName: string;
}

/**
 * One range of bytes out of a Range header.
 * @returns null to send everything (no range, several, or another unit), 'unsatisfiable' when it lies beyond the file
 */
export function parseRange(header: string | undefined, size: number): Span | 'unsatisfiable' | null {
  const match = header?.trim().match(/^bytes=(\d{0,15})-(\d{0,15})$/);
  if (!match) return null;
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= size ? 'unsatisfiable' : { start, end };
}

/** True when the header lists this tag; weak tags compare as strong ones, as If-None-Match wants. */
function listsTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((item) => ['*', tag, `W/${tag}`].includes(item.trim()));
}

/**
 * Answers GET and HEAD, with If-None-Match, If-Range and one range; several ranges at once are answered by the whole file,
 * as RFC 9110 allows.
 * @returns false when the store does not have the file; nothing was answered then
 */
export async function sendFile(
  req: IncomingMessage,
  res: ServerResponse,
  store: BlobStore,
  file: StoredFile,
): Promise<boolean> {
  const blob = await store.open(file.sha256);
  if (!blob) return false;
  try {
    const size = blob.sizeBytes;
    const tag = `"${file.sha256}"`;
    res.setHeader('ETag', tag);
    res.setHeader('Accept-Ranges', 'bytes');
    res.setHeader('Cache-Control', 'private, no-cache');
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Content-Type', 'application/octet-stream');
    res.setHeader('Content-Disposition', `attachment; filename="${file.fileName}"`);
    if (listsTag(req.headers['if-none-match'], tag)) {
      res.writeHead(304).end();
      return true;
    }
    const ifRange = req.headers['if-range'];
    const wantsRange = req.method === 'GET' && (ifRange === undefined || ifRange === tag);
    const span = wantsRange ? parseRange(req.headers.range, size) : null;
    if (span === 'unsatisfiable') {
      res.writeHead(416, { 'Content-Range': `bytes */${size}`, 'Content-Length': 0 }).end();
      return true;
    }
    // An empty file has no last byte to read up to.
    const isBodiless = req.method === 'HEAD' || size === 0;
    // Before the status: a store that fails now can still be told of.
    const body = isBodiless ? null : await blob.read(span ?? undefined);
    if (span) res.setHeader('Content-Range', `bytes ${span.start}-${span.end}/${size}`);
    res.writeHead(span ? 206 : 200, { 'Content-Length': span ? span.end - span.start + 1 : size });
    if (body) await pipeline(body, res);
    else res.end();
    return true;
  } catch (error) {
    // The reader went away in the middle: nobody is left to be told.
    if (res.destroyed || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return true;
    throw error;
  } finally {
    await blob.close();
  }
}
