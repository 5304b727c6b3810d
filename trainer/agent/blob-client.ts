/** Files to and from the hub over HTTP, each verified by its SHA-256. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, openAsBlob, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { blobPath, finishPath, UPLOADS_PATH } from '@mealtable/protocol/agent-messages';
import { hasCode, writeOrLog } from './atomic-file.ts';
import { type BlobCache, type BlobRef, hashFile } from './blob-cache.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { makeBackoff, untilAborted, waitFor } from './retry.ts';
import { sendInParts } from './send-in-parts.ts';

export interface BlobClientOptions {
  hub: string;
  token: string;
  cache: BlobCache;
  limits: AgentLimits;
  log: Log;
}

export type UploadResult =
  | { kind: 'stored' }
  /** No answer: the hub or the way to it is down. */
  | { kind: 'unreachable'; message: string }
  /** The hub answered and did not take it; it may later. */
  | { kind: 'refused'; message: string }
  /** The file here is gone or has other bytes than it had: no further try can help. */
  | { kind: 'unusable'; message: string };

export type FetchResult =
  | { ok: true }
  | { ok: false; code: 'weights_missing' | 'disk_full'; message: string }
  | { ok: false; code: 'aborted'; message: string };

type Try = 'done' | 'corrupt' | 'missing' | 'disk_full' | { again: string };

export class BlobClient {
  readonly #options: BlobClientOptions;
  /** Two attempts that need the same teacher share one download. */
  readonly #downloads = new Map<string, Promise<FetchResult>>();
  /** The same content is on its way once at a time: whoever comes later finds it on the hub. */
  readonly #uploads = new Map<string, Promise<unknown>>();

  constructor(options: BlobClientOptions) {
    this.#options = options;
  }

  /**
   * One try to bring the file at `path` to the hub. A file that the hub has already is not sent; of a large one only what
   * the hub does not have yet, also after a restart of either.
   * @param keeps whether the cache takes it in, so that another run on this host needs no download
   */
  async upload(path: string, blob: BlobRef, signal: AbortSignal, keeps = true): Promise<UploadResult> {
    for (let other = this.#uploads.get(blob.sha256); other; other = this.#uploads.get(blob.sha256)) {
      await untilAborted(other, signal);
      if (signal.aborted) return { kind: 'unreachable', message: 'stopped' };
    }
    const mine = this.#uploadAlone(path, blob, signal);
    this.#uploads.set(blob.sha256, mine);
    try {
      const result = await mine;
      return result.kind === 'stored' ? this.#stored(path, blob, keeps) : result;
    } finally {
      this.#uploads.delete(blob.sha256);
    }
  }

  async #uploadAlone(path: string, blob: BlobRef, signal: AbortSignal): Promise<UploadResult> {
    try {
      const known = await this.#request('HEAD', blobPath(blob.sha256), { signal });
      if (known.status === 200) return { kind: 'stored' };
      if (known.status !== 404) return { kind: 'refused', message: await refusalOf(known) };
      const takesParts = known.headers.has('tus-resumable');
      if (takesParts && blob.sizeBytes > this.#options.limits.uploadPartBytes)
        return await this.#uploadInParts(path, blob, signal);
      const body = await openAsBlob(path);
      if (body.size !== blob.sizeBytes) return unusable(path);
      return await this.#judge(path, blob, await this.#request('PUT', blobPath(blob.sha256), { signal, body }));
    } catch (error) {
      if (!statSync(path, { throwIfNoEntry: false })) return unusable(path);
      return { kind: 'unreachable', message: reasonOf(error) };
    }
  }

  async #uploadInParts(path: string, blob: BlobRef, signal: AbortSignal): Promise<UploadResult> {
    const { hub, token, limits, cache, log } = this.#options;
    const begun = cache.readUpload(blob);
    const sent = await sendInParts(path, blob, {
      endpoint: hub + UPLOADS_PATH,
      uploadUrl: begun === null ? null : hub + begun,
      token,
      partBytes: limits.uploadPartBytes,
      silenceMs: limits.uploadSilenceMs,
      signal,
      onBegun: (url) => writeOrLog(log, () => cache.noteUpload(blob, new URL(url).pathname)),
    });
    if (sent.kind === 'unusable') return unusable(path);
    if (sent.kind !== 'sent') return { kind: sent.kind, message: sent.message };
    for (;;) {
      const reply = await this.#request('POST', finishPath(new URL(sent.uploadUrl).pathname), { signal });
      if (reply.status === 202) {
        await reply.arrayBuffer();
        continue;
      }
      // Whatever came of it, it is over; only a full disk leaves all that was sent where it is.
      if (reply.status !== 507) cache.forgetUpload(blob);
      return await this.#judge(path, blob, reply);
    }
  }

  async #judge(path: string, blob: BlobRef, reply: Response): Promise<UploadResult> {
    if (reply.ok) {
      await reply.arrayBuffer();
      return { kind: 'stored' };
    }
    const message = await refusalOf(reply);
    return (await hashFile(path)) === blob.sha256 ? { kind: 'refused', message } : unusable(path);
  }

  /** What was sent of a file that is not wanted any more is deleted on the hub, if that is easily told; else it expires there. */
  async abandonUpload(blob: BlobRef): Promise<void> {
    const begun = this.#options.cache.readUpload(blob);
    if (begun === null || this.#uploads.has(blob.sha256)) return;
    this.#options.cache.forgetUpload(blob);
    try {
      const headers = { 'tus-resumable': '1.0.0' };
      await (await this.#request('DELETE', begun, { headers, signal: new AbortController().signal })).arrayBuffer();
    } catch (error) {
      this.#options.log(`An upload that is not wanted any more expires on the hub by itself (${reasonOf(error)}).`);
    }
  }

  /**
   * Brings the file from the cache or the hub to `destination`. Tries for as long as it takes while the hub is away or
   * busy; ends without the file when the hub does not have it, when its bytes are wrong time after time, or on abort.
   */
  async fetchTo(blob: BlobRef, destination: string, signal: AbortSignal): Promise<FetchResult> {
    const { cache } = this.#options;
    for (;;) {
      if (signal.aborted) return aborted;
      if (cache.linkTo(blob, destination)) {
        // Hashed under its own name: what the cache may meanwhile delete is still this attempt's.
        if ((await sizeAndHash(destination)) === `${blob.sizeBytes} ${blob.sha256}`) return { ok: true };
        rmSync(destination, { force: true });
        rmSync(cache.pathOf(blob), { force: true });
      }
      const result = await this.#download(blob, signal);
      if (!result.ok) return result;
    }
  }

  async #download(blob: BlobRef, signal: AbortSignal): Promise<FetchResult> {
    const running = this.#downloads.get(blob.sha256);
    if (running) {
      const result = await untilAborted(running, signal);
      if (result === null) return aborted;
      // The other attempt was stopped, which says nothing about the file: the caller's loop starts a download of its own.
      return !result.ok && result.code === 'aborted' ? { ok: true } : result;
    }
    const mine = this.#downloadAlone(blob, signal).finally(() => this.#downloads.delete(blob.sha256));
    this.#downloads.set(blob.sha256, mine);
    return mine;
  }

  async #downloadAlone(blob: BlobRef, signal: AbortSignal): Promise<FetchResult> {
    const { limits, log } = this.#options;
    const backoff = makeBackoff(limits);
    let told: string | null = null;
    for (let corrupt = 0; ; ) {
      const result = await this.#tryDownload(blob, signal);
      if (result === 'done') return { ok: true };
      if (signal.aborted) return aborted;
      if (result === 'missing')
        return { ok: false, code: 'weights_missing', message: `The hub does not have the file ${blob.sha256}.` };
      if (result === 'disk_full')
        return { ok: false, code: 'disk_full', message: 'No space left on the host for the weights the run needs.' };
      if (result === 'corrupt') {
        corrupt++;
        log(`Download of ${blob.sha256} came with other bytes (try ${corrupt}).`);
        if (corrupt >= limits.corruptDownloadTries)
          return {
            ok: false,
            code: 'weights_missing',
            message: `The hub's file ${blob.sha256} does not have its hash, ${corrupt} times in a row.`,
          };
      } else if (result.again !== told) {
        told = result.again;
        log(`Download of ${blob.sha256} waits for the hub (${told}).`);
      }
      await waitFor(backoff.next(), signal);
    }
  }

  /** Goes on from what an earlier try left in the part file, when the hub can start in the middle. */
  async #tryDownload(blob: BlobRef, signal: AbortSignal): Promise<Try> {
    const { cache } = this.#options;
    const partPath = cache.partPathOf(blob);
    let part: FileHandle | undefined;
    try {
      part = await open(partPath, 'a+');
      const found = (await part.stat()).size;
      let size = found < blob.sizeBytes ? found : 0;
      const headers = size > 0 ? { range: `bytes=${size}-` } : undefined;
      const reply = await this.#request('GET', blobPath(blob.sha256), { signal, headers });
      if (reply.status === 404) return 'missing';
      if (!reply.ok) return { again: await refusalOf(reply) };
      if (reply.status !== 206) size = 0;
      if (size < found) await part.truncate(size);
      const hash = await hashSoFar(partPath, size);
      const written = await writeBody(reply, part, hash, blob.sizeBytes - size);
      if (written === 'too_long' || (size + written === blob.sizeBytes && hash.digest('hex') !== blob.sha256)) {
        await part.truncate(0);
        return 'corrupt';
      }
      if (size + written < blob.sizeBytes) return { again: 'the connection ended early' };
      await part.sync();
      renameSync(partPath, cache.pathOf(blob));
      return 'done';
    } catch (error) {
      if (!hasCode(error, 'ENOSPC') && !hasCode(error, 'EDQUOT')) return { again: reasonOf(error) };
      rmSync(partPath, { force: true });
      return 'disk_full';
    } finally {
      await part?.close();
    }
  }

  /** The cache keeps this file no longer: it has a place of its own. */
  forget(blob: BlobRef): void {
    rmSync(this.#options.cache.pathOf(blob), { force: true });
  }

  #stored(path: string, blob: BlobRef, keeps: boolean): UploadResult {
    try {
      // A student on this host that starts from the checkpoint then needs no download.
      if (keeps) this.#options.cache.addLink(blob, path);
    } catch (error) {
      this.#options.log(`The cache could not take ${blob.sha256} (${reasonOf(error)}).`);
    }
    return { kind: 'stored' };
  }

  async #request(
    method: string,
    path: string,
    init: Omit<RequestInit, 'signal'> & { signal: AbortSignal },
  ): Promise<Response> {
    const { hub, token, limits } = this.#options;
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` };
    // fetch itself waits for minutes, and for ever where a connection ends in the moment in which it begins. A file may take its time.
    const silence = new AbortController();
    const giveUp = () => silence.abort(new Error(`no answer within ${limits.answerMs} ms`));
    const timer = method === 'PUT' ? undefined : setTimeout(giveUp, limits.answerMs);
    const signal = AbortSignal.any([init.signal, silence.signal]);
    try {
      // A redirect would carry the token to another host.
      return await fetch(hub + path, { ...init, signal, method, headers, redirect: 'error' });
    } finally {
      clearTimeout(timer);
    }
  }
}

const aborted: FetchResult = { ok: false, code: 'aborted', message: 'The attempt was stopped.' };

function unusable(path: string): UploadResult {
  return { kind: 'unusable', message: `The checkpoint file ${path} is gone or damaged.` };
}

async function writeBody(
  reply: Response,
  part: FileHandle,
  hash: Hash,
  expectedBytes: number,
): Promise<number | 'too_long'> {
  let written = 0;
  for await (const chunk of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    if (written + chunk.length > expectedBytes) return 'too_long';
    await part.appendFile(chunk);
    hash.update(chunk);
    written += chunk.length;
  }
  return written;
}

async function hashSoFar(path: string, size: number): Promise<Hash> {
  const hash = createHash('sha256');
  if (size > 0) for await (const chunk of createReadStream(path, { end: size - 1 })) hash.update(chunk as Buffer);
  return hash;
}

async function sizeAndHash(path: string): Promise<string> {
  return `${statSync(path).size} ${await hashFile(path)}`;
}

async function refusalOf(reply: Response): Promise<string> {
  const text = (await reply.text()).slice(0, 300).trim();
  return `HTTP ${reply.status}${text ? `: ${text}` : ''}`;
}

/** fetch says only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
  return cause?.code || cause?.message || (error as Error).message;
}
