/** The trainer's programs, bundled from the working tree as `npm run build` does, for tests that start real processes and threads. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface BundledPrograms {
  /** Path of the trainer's program. */
  trainer: string;
  imageWorkerUrl: URL;
  remove(): Promise<void>;
}

/** Inside the project, so that the programs find its packages; every caller has its own copy. */
export async function bundleTrainer(): Promise<BundledPrograms> {
  const folder = path.join(ROOT, '.cache', 'test-programs', randomUUID());
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      trainer: 'trainer/train/main.ts',
      evaluate: 'trainer/evaluate/main.ts',
      'image-worker': 'trainer/data/image-worker.ts',
      'check-images': 'trainer/data/check-images.ts',
    },
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    alias: { '@mealtable/protocol': path.join(ROOT, 'protocol') },
    logLevel: 'warning',
  });
  return {
    trainer: path.join(folder, 'trainer.js'),
    imageWorkerUrl: pathToFileURL(path.join(folder, 'image-worker.js')),
    remove: () => rm(folder, { recursive: true }),
  };
}
