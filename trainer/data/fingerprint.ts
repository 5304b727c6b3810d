/** One hash for the images of a dataset, so that hosts and later runs can tell whether they have the same. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SPLITS, type SplitIndex, type SplitName } from './dataset.ts';

/** Files looked at between two turns of the event loop: synchronous calls are ten times as fast as promises, this bounds them. */
const STATS_PER_TURN = 200;

/**
 * SHA-256 over name and size of every file of both splits, in order, and over the labels where they are not in the names.
 * A file that cannot be looked at counts as size -1.
 */
export async function fingerprintOf(
  root: string,
  splits: Record<SplitName, SplitIndex>,
  hashLabels: boolean,
): Promise<string> {
  const hash = createHash('sha256');
  for (const split of SPLITS) {
    const { files, labels } = splits[split];
    for (let i = 0; i < files.length; i++) {
      if (i % STATS_PER_TURN === STATS_PER_TURN - 1) await setImmediate();
      hash.update(files.at(i));
      hash.update(`\0${sizeOf(Buffer.concat([Buffer.from(join(root, '/')), files.at(i)]))}\n`);
    }
    if (hashLabels) hash.update(Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength));
  }
  return hash.digest('hex');
}

function sizeOf(path: Buffer): number {
  try {
    return statSync(path).size;
  } catch {
    // Vanished or locked away since the folder was listed: the trainer will name it when it cannot be read.
    return -1;
  }
}
