/** A dataset by its folder: finds out the layout, reads it or takes what is kept of it. */
import { realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findCacheFolder } from '../engine/setup/plan.mjs';
import { type Dataset, ImageSplit } from './dataset.ts';
import { isCurrent, loadIndex, type Source, saveIndex } from './index-cache.ts';
import { readFolder } from './layouts/folder.ts';
import type { Listing } from './layouts/layout.ts';
import { findShards, readShards } from './layouts/shards.ts';
import { Walk } from './layouts/walk.ts';
import { PathTableBuilder } from './path-table.ts';

/** Fewer images are listed faster than anybody notices. */
const KEPT_FROM_IMAGES = 10_000;

/** Where indices lie on this machine. */
export function datasetCacheFolder(env: NodeJS.ProcessEnv): string {
  return join(findCacheFolder(env), 'datasets');
}

/**
 * Never throws for what is wrong with the folder itself; that is said in `problems`.
 * @param cacheFolder where indices are kept; null to read the folder anew
 */
export async function openDataset(path: string, cacheFolder: string | null): Promise<Dataset> {
  const problem = await findFolderProblem(path);
  const { listing, isUpToDate } = problem === null ? await listDataset(path, cacheFolder) : nothing(problem);
  const { splits, ...rest } = listing;
  return {
    ...rest,
    splits: { train: new ImageSplit(path, splits.train), val: new ImageSplit(path, splits.val) },
    isUpToDate,
  };
}

interface Listed {
  listing: Listing;
  isUpToDate: () => boolean;
}

async function listDataset(path: string, cacheFolder: string | null): Promise<Listed> {
  // The folder that a link leads to may become another while the link stays the same.
  const root = await realpath(path);
  const upToDate = (source: Source) => () => realpathSync(path) === root && isCurrent(root, source);
  const kept = cacheFolder === null ? null : loadIndex(cacheFolder, root);
  if (kept !== null) return { listing: kept.listing, isUpToDate: upToDate(kept.source) };
  const listedAt = Date.now();
  const walk = new Walk(root);
  walk.watch(Buffer.alloc(0));
  const shards = await findShards(root);
  const listing = shards === null ? await readFolder(walk) : await readShards(walk, shards);
  const source = { watched: walk.watched, listedAt };
  const count = listing.splits.train.labels.length + listing.splits.val.labels.length;
  if (cacheFolder !== null && listing.problems.length === 0 && count >= KEPT_FROM_IMAGES)
    saveIndex(cacheFolder, root, listing, source);
  return { listing, isUpToDate: upToDate(source) };
}

async function findFolderProblem(path: string): Promise<string | null> {
  try {
    if ((await stat(path)).isDirectory()) return null;
    return `${path} is not a folder. Give the folder that holds train/ and val/, or val/ alone to evaluate.`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? `${path} does not exist. Give the folder that holds train/ and val/, or val/ alone to evaluate.`
      : `${path} cannot be opened (${(error as Error).message}). Check its permissions.`;
  }
}

function nothing(problem: string): Listed {
  const none = () => ({ files: new PathTableBuilder().build(), labels: new Int32Array(), entries: null });
  const listing = {
    classNames: [],
    classLabels: null,
    splits: { train: none(), val: none() },
    fingerprint: '',
    problems: [problem],
  };
  return { listing, isUpToDate: () => false };
}
