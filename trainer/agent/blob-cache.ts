/**
 * Files by their hash in `<state folder>/blobs`. An attempt that uses one has a hard link to it, so the link count says
 * what may be deleted, and deleting here never takes a file away from a trainer.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  type Stats,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasCode } from './atomic-file.ts';

/** A part file that has not grown for this long is left over from a download that nobody goes on with. */
const PART_IN_USE_MS = 3_600_000;

export interface BlobRef {
  sha256: string;
  sizeBytes: number;
}

export class BlobCache {
  readonly #dir: string;
  readonly #limitBytes: number;

  constructor(dir: string, limitBytes: number) {
    this.#dir = dir;
    this.#limitBytes = limitBytes;
    mkdirSync(dir, { recursive: true });
  }

  pathOf(blob: BlobRef): string {
    return join(this.#dir, blob.sha256);
  }

  /** Where a download that is not complete and verified lies. */
  partPathOf(blob: BlobRef): string {
    return `${this.pathOf(blob)}.part`;
  }

  /**
   * Gives the file a second name and marks it as used now. False when it is not in the cache. Other names of the file
   * must never be written to.
   */
  linkTo(blob: BlobRef, destination: string): boolean {
    const path = this.pathOf(blob);
    if (!statSync(path, { throwIfNoEntry: false })) return false;
    linkOrCopy(path, destination);
    const now = new Date();
    utimesSync(path, now, now);
    this.#evict();
    return true;
  }

  /** Takes in a file that is known to have this hash. */
  addLink(blob: BlobRef, source: string): void {
    linkOrCopy(source, this.pathOf(blob));
    this.#evict();
  }

  #evict(): void {
    const files: { path: string; stat: Stats }[] = readdirSync(this.#dir).flatMap((name) => {
      const path = join(this.#dir, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat ? [{ path, stat }] : [];
    });
    let total = files.reduce((sum, { stat }) => sum + stat.size, 0);
    const inUseAfter = Date.now() - PART_IN_USE_MS;
    const unused = files.filter(({ path, stat }) =>
      path.endsWith('.part') ? stat.mtimeMs < inUseAfter : stat.nlink === 1,
    );
    for (const { path, stat } of unused.sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs)) {
      if (total <= this.#limitBytes) return;
      rmSync(path, { force: true });
      total -= stat.size;
    }
  }
}

/** SHA-256 of a file's bytes, lower-case hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Replaces nothing: a destination that is there already has the same content, since names are hashes or attempt files. */
function linkOrCopy(source: string, destination: string): void {
  try {
    linkSync(source, destination);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    // File systems without hard links.
    if (!['EPERM', 'ENOTSUP', 'EXDEV', 'EMLINK', 'ENOSYS'].some((code) => hasCode(error, code))) throw error;
    copyFileSync(source, destination);
  }
}
