/** Which published weights this machine has or may fetch, without asking any hub. */
import { KNOWN_WEIGHTS, type KnownWeights } from '@mealtable/protocol/published-weights';
import { RepoCache } from './hub-cache.ts';
import { readHubSettings } from './hub-settings.ts';
import { HUB_FILE } from './obtain-weights.ts';
import { findInFolder, weightsFolder } from './weights-folder.ts';

/** @param env `process.env`: where weights are kept, and whether a hub may be asked @returns names, in the order of the registry */
export function obtainableWeights(env: Record<string, string | undefined>): string[] {
  const folder = weightsFolder(env);
  const { cacheFolder, isOffline } = readHubSettings(env);
  const isObtainable = (known: KnownWeights) => {
    if (findInFolder(folder, known) !== null) return true;
    if (known.repo === null) return false;
    return !isOffline || new RepoCache(cacheFolder, known.repo).find(HUB_FILE) !== null;
  };
  return [...KNOWN_WEIGHTS.values()].filter(isObtainable).map(({ name }) => name);
}
