/** Lists the images below folders, names as bytes, and remembers what was looked at. */
import type { Dirent } from 'node:fs';
import { statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { PathTableBuilder } from '../path-table.ts';
import type { Watched } from './layout.ts';

export type Entry = Dirent<Buffer>;
const SLASH = Buffer.from('/');
const IMAGE_NAME = /\.(jpe?g|png)$/i;
const HIDDEN = '.'.charCodeAt(0);
/** Folders within folders below a class; deeper ones are taken for a mistake. */
const MAX_DEPTH = 32;

export const isImageName = (name: Buffer): boolean => IMAGE_NAME.test(name.toString('latin1'));
export const under = (folder: Buffer, name: Buffer): Buffer =>
  folder.length === 0 ? name : Buffer.concat([folder, SLASH, name]);

export class Walk {
  readonly root: string;
  readonly #names = new PathTableBuilder();
  readonly #changed: number[] = [];
  readonly #sizes: number[] = [];

  constructor(root: string) {
    this.root = root;
  }

  absolute(relative: Buffer): Buffer {
    return under(Buffer.from(this.root), relative);
  }

  /** Notes a folder or file, whose change then makes the index out of date. One that is not there is noted as such. */
  watch(relative: Buffer): void {
    const found = statSync(this.absolute(relative), { throwIfNoEntry: false });
    this.#names.add(relative);
    this.#changed.push(found?.ctimeMs ?? -1);
    this.#sizes.push(found?.isFile() ? found.size : 0);
  }

  get watched(): Watched {
    return {
      names: this.#names.build(),
      changed: Float64Array.from(this.#changed),
      sizes: Float64Array.from(this.#sizes),
    };
  }

  /** Entries of a folder except hidden ones, in the order of their bytes. */
  async list(folder: Buffer): Promise<Entry[]> {
    this.watch(folder);
    const entries = await readdir(this.absolute(folder), { withFileTypes: true, encoding: 'buffer' });
    return entries.filter(({ name }) => name[0] !== HIDDEN).sort((a, b) => Buffer.compare(a.name, b.name));
  }

  /** What an entry is, links followed; null for a link to nowhere or to itself, and for anything else. */
  async kindOf(folder: Buffer, entry: Entry): Promise<'file' | 'folder' | null> {
    const path = this.absolute(under(folder, entry.name));
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry;
    if (target?.isFile()) return 'file';
    return target?.isDirectory() ? 'folder' : null;
  }

  /** Every image below `folder`, relative to the root, in the order of their bytes. Rejects where a folder cannot be read. */
  async imagesBelow(folder: Buffer): Promise<Buffer[]> {
    const found: Buffer[] = [];
    await this.#collect(folder, found, new Set([String(await realpath(this.absolute(folder)))]));
    return found.sort(Buffer.compare);
  }

  /** `above` holds the real paths on the way down, so that links in a circle end. */
  async #collect(folder: Buffer, into: Buffer[], above: ReadonlySet<string>): Promise<void> {
    if (above.size > MAX_DEPTH) throw new Error(`folders lie more than ${MAX_DEPTH} deep in it`);
    for (const entry of await this.list(folder)) {
      const path = under(folder, entry.name);
      const kind = await this.kindOf(folder, entry);
      if (kind === 'file' && isImageName(entry.name)) into.push(path);
      if (kind !== 'folder') continue;
      const real = String(await realpath(this.absolute(path)));
      if (!above.has(real)) await this.#collect(path, into, new Set([...above, real]));
    }
  }
}
