import { existsSync } from 'node:fs';
import path from 'node:path';

/** Root of the project: the nearest folder above this module with prisma/schema.prisma, so it also holds for a bundle in dist/. */
export const PROJECT_DIR = findProjectDir(import.meta.dirname);

function findProjectDir(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'prisma', 'schema.prisma'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`No prisma/schema.prisma found in ${from} or above it.`);
  }
}
