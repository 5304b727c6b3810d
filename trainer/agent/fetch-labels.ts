/**
 * Labels that other runs computed, brought into this host's cache: file by file, each whole and verified before any trainer can see
 * it. Trainers may read and extend the same set meanwhile.
 */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointFile, LABEL_SET_FILE } from '@mealtable/protocol/records';
import { hashKey } from '../labels/key.ts';
import { openLabelCache } from '../labels/label-cache.ts';
import { type LabelSetFile, parseLabelSet } from '../labels/label-set-file.ts';
import { linkFile } from '../labels/link-file.ts';
import { hasCode } from './atomic-file.ts';
import type { AttemptDir } from './attempt-dir.ts';
import type { BlobClient, FetchResult } from './blob-client.ts';
import { untilAborted } from './retry.ts';

export interface LabelFetch {
  dir: AttemptDir;
  blobs: BlobClient;
  /** Of all keys' labels on this host. */
  folder: string;
  signal: AbortSignal;
}

const aborted: FetchResult = { ok: false, code: 'aborted', message: 'The attempt was stopped.' };
const unusable = (message: string): FetchResult => ({ ok: false, code: 'weights_missing', message });

/** The last fetch into each folder: two attempts of one set share a download by taking turns. */
const turns = new Map<string, Promise<FetchResult>>();

/**
 * Fetches what this host does not have of a set. The description of the set stays in the attempt's folder, for its trainer.
 * @param files of the checkpoint of the run that labelled
 */
export async function fetchLabels(files: readonly CheckpointFile[], fetch: LabelFetch): Promise<FetchResult> {
  const described = files.find(({ name }) => name === LABEL_SET_FILE);
  if (described === undefined) return unusable('The hub lists no labels.');
  const path = fetch.dir.labelSet(described.sha256);
  const result = await fetch.blobs.fetchTo(described, path, fetch.signal);
  if (!result.ok) return result;
  const set = parseLabelSet(readFileSync(path, 'utf8'));
  if (set === null) return unusable('They are described in a way that this version does not know.');
  const own = join(fetch.folder, hashKey(set.key));
  const parts = files.filter((file) => file !== described);
  for (let before = turns.get(own); before !== undefined; before = turns.get(own))
    if ((await untilAborted(before, fetch.signal)) === null) return aborted;
  const mine = fetchParts(parts, set, own, fetch).finally(() => turns.delete(own));
  turns.set(own, mine);
  return mine;
}

async function fetchParts(
  parts: readonly CheckpointFile[],
  set: LabelSetFile,
  own: string,
  fetch: LabelFetch,
): Promise<FetchResult> {
  const { dir, blobs, signal } = fetch;
  try {
    const missing = parts.filter(({ name, sizeBytes }) => sizeOf(join(own, name)) !== sizeBytes);
    if (missing.length === 0 || hasAll(fetch.folder, set)) return { ok: true };
    mkdirSync(own, { recursive: true });
    for (const part of missing) {
      const fetched = dir.labelPart(part.sha256);
      const result = await blobs.fetchTo(part, fetched, signal);
      if (!result.ok) return result;
      linkFile(fetched, join(own, part.name));
      rmSync(fetched);
      // The set's folder is where it is kept.
      blobs.forget(part);
    }
    return { ok: true };
  } catch (error) {
    if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT'))
      return { ok: false, code: 'disk_full', message: 'No space left on the host for the labels the run needs.' };
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return unusable(`They cannot be put into ${own}: ${(error as Error).message}`);
  }
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;

/** Whether trainers of this host have computed all of them already. */
function hasAll(folder: string, { key, viewsPerImage }: LabelSetFile): boolean {
  const cache = openLabelCache(folder, key, { writable: false });
  try {
    const { labelled, total } = cache.coverage(viewsPerImage);
    return labelled === total;
  } finally {
    cache.close();
  }
}
