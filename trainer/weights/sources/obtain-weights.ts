/** Published weights as a file on this machine: from the weights folder, the cache, or a hub, in this order. */
import { KNOWN_WEIGHTS, type KnownWeights } from '@mealtable/protocol/published-weights';
import { RepoCache } from './hub-cache.ts';
import { DOWNLOAD_LIMITS, type DownloadLimits, download } from './hub-download.ts';
import { fileUrl, HubRefusal, HubUnreachable } from './hub-request.ts';
import { readHubSettings } from './hub-settings.ts';
import { fileNamesOf, findInFolder, weightsFolder } from './weights-folder.ts';

/** Says which file was looked for, the address that was tried, and the folder to put it into. */
export class WeightsMissing extends Error {}

export interface ObtainOptions {
  /** `process.env`. */
  env: Record<string, string | undefined>;
  log(line: string): void;
  /** Ends a download; what there is of it is gone on with the next time. */
  signal: AbortSignal;
  limits?: DownloadLimits;
  /** Milliseconds between two lines about a download. */
  progressMs?: number;
}

/** timm's repositories all name it so. */
export const HUB_FILE = 'model.safetensors';
const PROGRESS_MS = 10_000;

/**
 * @param name one of KNOWN_WEIGHTS
 * @returns path of a safetensors file or a PyTorch checkpoint
 * @throws {WeightsMissing} when they cannot be had @throws the signal's reason on abort; errors of a full disk as they are
 */
export async function obtainWeights(name: string, options: ObtainOptions): Promise<string> {
  const known = KNOWN_WEIGHTS.get(name);
  if (known === undefined) throw new WeightsMissing(`There are no published weights named ${name}.`);
  const found = findInFolder(weightsFolder(options.env), known);
  if (found !== null) return found;
  if (known.repo === null)
    throw missing(
      known,
      options.env,
      `They are on no hub: ${known.releasedAs} is a download of github.com/szq0214/MEAL-V2.`,
    );
  const settings = readHubSettings(options.env);
  const cache = new RepoCache(settings.cacheFolder, known.repo);
  const cached = cache.find(HUB_FILE);
  if (cached !== null) return cached;
  if (settings.isOffline)
    throw missing(known, options.env, `HF_HUB_OFFLINE is set, and ${cache.folder} does not hold them either.`);
  const url = fileUrl(settings.endpoint, known.repo, HUB_FILE);
  try {
    const path = await download(url, HUB_FILE, cache, {
      connection: { endpoint: settings.endpoint, token: settings.token, signal: options.signal },
      limits: options.limits ?? DOWNLOAD_LIMITS,
      onProgress: reportProgress(known, url, options),
      onDelay: (line) => options.log(line),
    });
    options.log(`The weights ${name} are in ${path}.`);
    return path;
  } catch (error) {
    if (error instanceof HubRefusal || error instanceof HubUnreachable)
      throw missing(known, options.env, `From the hub they could not be had: ${error.message}.`);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'].includes(code))
      throw missing(known, options.env, `The cache ${cache.folder} cannot be written (${(error as Error).message}).`);
    throw error;
  }
}

function missing(known: KnownWeights, env: ObtainOptions['env'], why: string): WeightsMissing {
  const [first, ...others] = fileNamesOf(known);
  const folder = weightsFolder(env);
  return new WeightsMissing(
    `The weights ${known.name} cannot be had. ${why} Put the file into ${folder} on this host as ${first} (or ${others.join(' or ')}), or set MEALTABLE_WEIGHTS_DIR to the folder that has it.`,
  );
}

function reportProgress(
  { name }: KnownWeights,
  url: string,
  { log, progressMs = PROGRESS_MS }: ObtainOptions,
): (done: number, size: number) => void {
  let spoke: number | null = null;
  return (done, size) => {
    if (spoke !== null && performance.now() - spoke < progressMs) return;
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    log(
      spoke === null
        ? `Downloading ${name} (${megabytes(size)} MB) from ${url}${done > 0 ? `, ${megabytes(done)} MB of it are here` : ''}.`
        : `Downloading ${name}: ${megabytes(done)} of ${megabytes(size)} MB.`,
    );
    spoke = performance.now();
  };
}
