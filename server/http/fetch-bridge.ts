/** Between Node's requests and the Request and Response that better-auth and tRPC speak. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@mealtable/protocol/errors';
import type { Exchange } from './exchange.ts';

/** A body that trickles in is given up after this. */
const BODY_TIMEOUT_MS = 30_000;

const tooLarge = (maxBytes: number) => new AppError('too_large', `A request may have ${maxBytes} bytes at most.`);

/** @throws {AppError} too_large above maxBytes, invalid when it ends early or takes too long */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const timer = setTimeout(() => req.destroy(), BODY_TIMEOUT_MS);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('invalid', 'The request ended before its body was complete.');
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** @param headers set over the request's own */
export async function toRequest(exchange: Exchange, maxBytes: number, headers: Record<string, string> = {}) {
  const { req, res, url } = exchange;
  const all = new Headers();
  for (const [name, value] of Object.entries({ ...req.headers, ...headers }))
    if (value !== undefined) all.set(name, Array.isArray(value) ? value.join(', ') : value);
  const body = req.method === 'GET' || req.method === 'HEAD' ? undefined : await readBody(req, maxBytes);
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return new Request(url, {
    method: req.method,
    headers: all,
    body: body ? new Uint8Array(body) : undefined,
    signal: gone.signal,
  });
}

/** Cookies that the gate has set already stay. */
export async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) if (name !== 'set-cookie') res.setHeader(name, value);
  for (const cookie of response.headers.getSetCookie()) res.appendHeader('Set-Cookie', cookie);
  if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store');
  if (!response.body || res.req.method === 'HEAD') {
    res.end();
    return;
  }
  try {
    await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), res);
  } catch (error) {
    // The reader went away: nobody is left to be told.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
