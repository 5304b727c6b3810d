/** What a host tells the hub about an image folder. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import { type ImageFolder, listImageFolder } from './list-images.ts';

/** Files looked at between two turns of the event loop: synchronous calls are ten times as fast as promises, this bounds them. */
const STATS_PER_TURN = 200;

/** Counts, class names and fingerprint of the folder at `path`; whatever is wrong with it is said in `problems`. */
export async function scanImageFolder(path: string): Promise<Omit<DatasetReport, 'name'>> {
  const folder = await listImageFolder(path);
  return {
    classNames: folder.classNames,
    trainCount: folder.splits.train.paths.length,
    valCount: folder.splits.val.paths.length,
    fingerprint: await fingerprint(path, folder),
    problems: folder.problems,
  };
}

/** SHA-256 over relative path and size of every image, in order. A file that cannot be looked at counts as size -1. */
async function fingerprint(root: string, { splits }: ImageFolder): Promise<string> {
  const hash = createHash('sha256');
  for (const [i, path] of [...splits.train.paths, ...splits.val.paths].entries()) {
    if (i % STATS_PER_TURN === STATS_PER_TURN - 1) await setImmediate();
    hash.update(`${relative(root, path).split(sep).join('/')}\0${sizeOf(path)}\n`);
  }
  return hash.digest('hex');
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    // Vanished or locked away since the folder was listed: the trainer will name it when it cannot be read.
    return -1;
  }
}
