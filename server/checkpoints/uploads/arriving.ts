/**
 * Files that arrive in parts: `<dir>/<id>` and what was promised of it in `<dir>/<id>.json`. They outlive the hub: what has
 * arrived is found again, to the byte. Ids are made here, so none that a client sends becomes a path.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Sha256 } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { hashFile } from '../staging.ts';

const Promised = z.strictObject({ sha256: Sha256, sizeBytes: z.int().min(0) });
const INFO = '.json';

export interface Arriving {
  readonly id: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** They are in the file; up to the last part that was acknowledged they survive a power cut, too. */
  readonly arrivedBytes: number;
  /** Milliseconds since 1970. */
  readonly lastByteAt: number;
}
interface Entry extends Arriving {
  arrivedBytes: number;
  lastByteAt: number;
  /** Of the bytes that have arrived; null when some did so under an earlier hub. */
  hash: Hash | null;
  /** Of all bytes, once they were asked for. */
  digest: string | null;
}

export class ArrivingFiles {
  readonly #dir: string;
  readonly #now: () => Date;
  readonly #entries = new Map<string, Entry>();

  constructor(dir: string, now: () => Date) {
    this.#dir = dir;
    this.#now = now;
  }

  pathOf(id: string): string {
    return path.join(this.#dir, id);
  }

  /** Finds what an earlier hub was receiving. Call once, before the first request. */
  async prepare(): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    const names = new Set(await readdir(this.#dir));
    for (const name of names) {
      const id = name.replace(INFO, '');
      const isPair = names.has(id) && names.has(id + INFO);
      if (!isPair || !(await this.#load(id))) await rm(path.join(this.#dir, name), { force: true });
    }
  }

  async #load(id: string): Promise<boolean> {
    const parsed = Promised.safeParse(parseJson(await readFile(this.pathOf(id) + INFO, 'utf8')));
    if (!parsed.success) return false;
    const { size, mtimeMs } = await stat(this.pathOf(id));
    const digest = null;
    this.#entries.set(id, { id, ...parsed.data, arrivedBytes: size, lastByteAt: mtimeMs, hash: null, digest });
    return true;
  }

  /** @returns the id under which its parts are to be appended */
  async create(promised: { sha256: string; sizeBytes: number }): Promise<string> {
    const id = randomBytes(16).toString('hex');
    await (await open(this.pathOf(id), 'wx', 0o644)).close();
    // Second, and by one step: a name without its promise is deleted at the next start.
    await writeDurable(this.pathOf(id) + INFO, JSON.stringify(Promised.parse(promised)));
    const lastByteAt = this.#now().getTime();
    this.#entries.set(id, { id, ...promised, arrivedBytes: 0, lastByteAt, hash: createHash('sha256'), digest: null });
    return id;
  }

  find(id: string): Arriving | null {
    return this.#entries.get(id) ?? null;
  }

  list(): Arriving[] {
    return [...this.#entries.values()];
  }

  /** Bytes that the disk can still take. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#dir);
    return bavail * bsize;
  }

  /**
   * Appends what `source` gives. A connection that is cut gives less, and that is kept. The caller sees to it that only one
   * does so at a time.
   * @returns bytes that have arrived by now, all of them on the disk
   * @throws the system's error when the disk is full; `source` has been read to its end then, so that the client hears of it
   */
  async append(id: string, source: Readable): Promise<number> {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`There is no upload ${id}.`);
    const file = await open(this.pathOf(id), 'r+');
    try {
      // A write that failed may have left some of its bytes.
      if ((await file.stat()).size > entry.arrivedBytes) await file.truncate(entry.arrivedBytes);
      let fault: unknown = null;
      for await (const chunk of source) {
        if (fault !== null) continue;
        try {
          await writeAll(file, chunk as Buffer, entry.arrivedBytes);
          entry.hash?.update(chunk as Buffer);
          entry.arrivedBytes += (chunk as Buffer).length;
          entry.lastByteAt = this.#now().getTime();
        } catch (error) {
          fault = error;
        }
      }
      if (fault !== null) throw fault;
      await file.datasync();
      return entry.arrivedBytes;
    } finally {
      await file.close();
    }
  }

  /** SHA-256 of all that has arrived; read again from the disk only where an earlier hub received some of it. */
  async digest(id: string): Promise<string | null> {
    const entry = this.#entries.get(id);
    if (!entry) return null;
    entry.digest ??= entry.hash ? entry.hash.digest('hex') : (await hashFile(this.pathOf(id))).sha256;
    entry.hash = null;
    return entry.digest;
  }

  async remove(id: string): Promise<void> {
    if (!this.#entries.delete(id)) return;
    await rm(this.pathOf(id), { force: true });
    await rm(this.pathOf(id) + INFO, { force: true });
  }

  /** Removes what has had no byte for so long. @returns how many */
  async sweep(silentMs: number): Promise<number> {
    const before = this.#now().getTime() - silentMs;
    const expired = this.list().filter(({ lastByteAt }) => lastByteAt <= before);
    for (const { id } of expired) await this.remove(id);
    return expired.length;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Cut off by a power cut: it promises nothing.
    return null;
  }
}

async function writeDurable(target: string, text: string): Promise<void> {
  const temp = `${target}.new`;
  const file = await open(temp, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temp, target);
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Buffer, position: number): Promise<void> {
  // One write may take less than all of it, and says so.
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
