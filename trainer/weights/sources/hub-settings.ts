/** Where published weights are downloaded from and kept, by the variables that Hugging Face's own tools read. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface HubSettings {
  /** Origin and path without a slash at the end. */
  endpoint: string;
  /** Folder of the `models--owner--name` folders. */
  cacheFolder: string;
  token: string | null;
  /** Nothing is asked of the network. */
  isOffline: boolean;
}

type Variables = Record<string, string | undefined>;

export function readHubSettings(env: Variables): HubSettings {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cacheFolder: resolve(env.HF_HUB_CACHE || join(home, 'hub')),
    token: env.HF_TOKEN?.trim() || null,
    isOffline: /^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''),
  };
}
