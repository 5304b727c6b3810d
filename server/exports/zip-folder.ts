/** Files of one folder as one zip, the same to the byte whenever it is made. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { StoredExport } from './export-rows.ts';

/**
 * How every entry is written: weights do not compress, and an entry as long as its file lets the whole be known in advance. The
 * time is the earliest that the format knows.
 */
export const ENTRY = { compress: false, mtime: new Date(1980, 0, 1), mode: 0o100644, forceDosTimestamp: true } as const;

/** @param files relative to `folder`, in the order of the zip */
export async function zipFolder(folder: string, files: readonly string[], target: string): Promise<StoredExport> {
  const zip = new ZipFile();
  const failed = new Promise<never>((_, reject) => {
    zip.once('error', reject);
  });
  for (const file of files) zip.addFile(path.join(folder, file), file, ENTRY);
  zip.end();
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await Promise.race([failed, pipeline(zip.outputStream, hashing, createWriteStream(target, { flags: 'wx' }))]);
  return { sha256: hash.digest('hex'), sizeBytes: (await stat(target)).size };
}
