/** One file from a hub into the cache: resumed where it was left, verified, whole or absent, and once for all who wait for it. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withLock } from '../../engine/setup/lock.mjs';
import type { RepoCache } from './hub-cache.ts';
import {
  describeRemote,
  type HubConnection,
  HubRefusal,
  HubUnreachable,
  openRemote,
  type RemoteFile,
} from './hub-request.ts';

export interface DownloadLimits {
  /** Tries in a row that bring nothing before it is given up. */
  tries: number;
  /** Wait after the first of them in milliseconds; it doubles from try to try. */
  backoffMs: number;
  silenceMs: number;
}
export const DOWNLOAD_LIMITS: DownloadLimits = { tries: 6, backoffMs: 1000, silenceMs: 30_000 };

export interface DownloadOptions {
  connection: Omit<HubConnection, 'silenceMs'>;
  limits: DownloadLimits;
  /** Called often. */
  onProgress(doneBytes: number, sizeBytes: number): void;
  /** Somebody else downloads the same file, or a try failed; a sentence for the log. */
  onDelay(line: string): void;
}

/**
 * @param url of the file in its repository @param file its name there
 * @returns its path in the cache
 * @throws {HubRefusal | HubUnreachable} when it cannot be had; an abort rejects with the signal's reason
 */
export async function download(url: string, file: string, cache: RepoCache, options: DownloadOptions): Promise<string> {
  const connection = { ...options.connection, silenceMs: options.limits.silenceMs };
  const remote = await persist(
    options,
    () => 0,
    () => describeRemote(connection, url),
  );
  const { sha256, commit } = remote;
  await withLock(
    cache.lock(sha256),
    (owner) => options.onDelay(`Process ${owner} downloads ${url} already: waiting for it.`),
    async () => {
      if (!isWhole(cache.blob(sha256), remote.sizeBytes)) await fetchBlob(remote, cache, connection, options);
    },
    connection.signal,
  );
  return cache.publish(file, commit, sha256);
}

/** Repeats `work` while the hub is away. @param progress grows when a try has brought something */
async function persist<T>(
  { limits, onDelay, connection: { signal } }: DownloadOptions,
  progress: () => number,
  work: () => Promise<T>,
): Promise<T> {
  for (let failed = 0, reached = progress(); ; ) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      failed = progress() > reached ? 1 : failed + 1;
      reached = progress();
      if (failed >= limits.tries) throw new HubUnreachable(`${error.message}, ${failed} times in a row`);
      const waitMs = limits.backoffMs * 2 ** (failed - 1);
      onDelay(`${error.message}. The next try is in ${waitMs / 1000} s.`);
      await delay(waitMs, undefined, { signal });
    }
  }
}

async function fetchBlob(
  remote: RemoteFile,
  cache: RepoCache,
  connection: HubConnection,
  options: DownloadOptions,
): Promise<void> {
  const { sha256, sizeBytes, url } = remote;
  const path = cache.part(sha256);
  await mkdir(dirname(path), { recursive: true });
  let reached = 0;
  const onProgress = (done: number) => {
    reached = Math.max(reached, done);
    options.onProgress(done, sizeBytes);
  };
  // A part that an earlier run left may be damaged, so one wrong hash is forgiven.
  for (let wrong = 0; ; ) {
    const found = await persist(
      options,
      () => reached,
      () => fillPart(path, remote, connection, onProgress),
    );
    if (found === sha256) break;
    await rm(path, { force: true });
    reached = 0;
    if (++wrong === 2)
      throw new HubRefusal(`what ${url} sends has the SHA-256 ${found} instead of ${sha256}, twice in a row`);
    options.onDelay(`What ${url} sent does not have its SHA-256: downloading it again from its beginning.`);
  }
  await rename(path, cache.blob(sha256));
}

/** Brings the part to its full size. @returns the SHA-256 of all of it */
async function fillPart(
  path: string,
  { url, sizeBytes }: RemoteFile,
  connection: HubConnection,
  onProgress: (doneBytes: number) => void,
): Promise<string> {
  const part = await open(path, 'a');
  try {
    const found = (await part.stat()).size;
    if (found === sizeBytes) return (await hashOf(path, found)).digest('hex');
    const remote = await openRemote(connection, url, found < sizeBytes ? found : 0);
    if (remote.begin < found) await part.truncate(remote.begin);
    const hash = await hashOf(path, remote.begin);
    const done = await append(part, remote.begin, remote.chunks, hash, sizeBytes, onProgress);
    if (done < sizeBytes) throw new HubUnreachable(`${url} ended after ${done} of ${sizeBytes} bytes`);
    await part.sync();
    return hash.digest('hex');
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) await rm(path, { force: true });
    throw error;
  } finally {
    await part.close();
  }
}

async function append(
  part: FileHandle,
  begin: number,
  chunks: AsyncIterable<Uint8Array>,
  hash: Hash,
  sizeBytes: number,
  onProgress: (doneBytes: number) => void,
): Promise<number> {
  let done = begin;
  onProgress(done);
  for await (const chunk of chunks) {
    // More than there is: its hash tells that it is wrong.
    const taken = chunk.subarray(0, sizeBytes - done);
    await part.appendFile(taken);
    hash.update(chunk);
    done += taken.length;
    onProgress(done);
    if (taken.length < chunk.length) break;
  }
  return done;
}

async function hashOf(path: string, length: number): Promise<Hash> {
  const hash = createHash('sha256');
  if (length > 0) for await (const chunk of createReadStream(path, { end: length - 1 })) hash.update(chunk as Buffer);
  return hash;
}

const isWhole = (path: string, sizeBytes: number): boolean =>
  statSync(path, { throwIfNoEntry: false })?.size === sizeBytes;
