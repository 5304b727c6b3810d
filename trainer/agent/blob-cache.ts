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
import { extname, join } from 'node:path';
import { UPLOADS_PATH } from '@mealtable/protocol/agent-messages';
import { UPLOAD_EXPIRY_MS } from '@mealtable/protocol/tunables';
import { hasCode, readIfThere, writeFileAtomic } from './atomic-file.ts';

/** Files besides the blobs, by their ending, and how long after the last change they are left over and nobody goes on with them. */
const IN_USE_MS = {
  /** A download. */
  '.part': 3_600_000,
  /** Where an upload was begun. */
  '.upload': UPLOAD_EXPIRY_MS,
} as const;

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
   * Where on the hub an upload of this content was begun: a path, also from before a restart of this agent; null when none
   * was.
   */
  readUpload(blob: BlobRef): string | null {
    const path = readIfThere(this.#notePathOf(blob));
    return path?.startsWith(`${UPLOADS_PATH}/`) ? path : null;
  }

  /** Without the note, a restart of this agent costs sending again what was sent. Throws file errors. */
  noteUpload(blob: BlobRef, path: string): void {
    writeFileAtomic(this.#notePathOf(blob), path);
  }

  forgetUpload(blob: BlobRef): void {
    rmSync(this.#notePathOf(blob), { force: true });
  }

  #notePathOf(blob: BlobRef): string {
    return `${this.pathOf(blob)}.upload`;
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
    const unused = files.filter(({ path, stat }) => {
      const inUseMs = IN_USE_MS[extname(path) as keyof typeof IN_USE_MS];
      return inUseMs === undefined ? stat.nlink === 1 : stat.mtimeMs < Date.now() - inUseMs;
    });
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
