/**
 * The cache folder as huggingface_hub lays it out, so that Python tools and Mealtable share downloads: bytes under their hash
 * in `blobs`, links with the files' names in `snapshots/<commit>`, and in `refs/main` the commit that `main` was.
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

const COMMIT = /^[0-9a-f]{40}$/;

export class RepoCache {
  readonly #cacheFolder: string;
  readonly #name: string;

  /** @param repo `owner/name` */
  constructor(cacheFolder: string, repo: string) {
    this.#cacheFolder = cacheFolder;
    this.#name = `models--${repo.replaceAll('/', '--')}`;
  }

  get folder(): string {
    return join(this.#cacheFolder, this.#name);
  }
  blob(sha256: string): string {
    return join(this.folder, 'blobs', sha256);
  }
  /** What is there of a download so far. Named apart from the one of huggingface_hub, which might be at work too. */
  part(sha256: string): string {
    return `${this.blob(sha256)}.mealtable.incomplete`;
  }
  lock(sha256: string): string {
    return join(this.#cacheFolder, '.locks', this.#name, `${sha256}.mealtable.lock`);
  }

  /** Path of a file of `main` as it was when it was last downloaded by anybody, or null. */
  find(file: string): string | null {
    const ref = join(this.folder, 'refs', 'main');
    const commit = existsSync(ref) ? readFileSync(ref, 'utf8').trim() : '';
    if (!COMMIT.test(commit)) return null;
    const path = join(this.folder, 'snapshots', commit, file);
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : null;
  }

  /** Gives a whole blob its name in a snapshot and makes that snapshot `main`. @returns the named path */
  async publish(file: string, commit: string, sha256: string): Promise<string> {
    const path = join(this.folder, 'snapshots', commit, file);
    await mkdir(dirname(path), { recursive: true });
    await replace(path, (temporary) => symlink(relative(dirname(path), this.blob(sha256)), temporary));
    const ref = join(this.folder, 'refs', 'main');
    await mkdir(dirname(ref), { recursive: true });
    await replace(ref, (temporary) => writeFile(temporary, commit));
    return path;
  }
}

/** Makes something aside and renames it, so that whoever looks finds the old one or the new one. */
async function replace(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await make(temporary);
  await rename(temporary, path);
}
