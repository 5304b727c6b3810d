/** The folder into which people put weights files themselves: asked before any hub. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KnownWeights } from '@mealtable/protocol/published-weights';

/** MEALTABLE_WEIGHTS_DIR, absolute, or `~/.mealtable/weights`. */
export function weightsFolder(env: Record<string, string | undefined>): string {
  return resolve(env.MEALTABLE_WEIGHTS_DIR || join(homedir(), '.mealtable', 'weights'));
}

/** Names that are looked for in the folder, the first found wins. */
export function fileNamesOf({ name, releasedAs }: KnownWeights): string[] {
  const names = [`${name}.safetensors`, join(name, 'model.safetensors'), `${name}.pth`];
  return releasedAs === null ? names : [...names, releasedAs];
}

/** Path of the weights in `folder`, or null. */
export function findInFolder(folder: string, known: KnownWeights): string | null {
  const paths = fileNamesOf(known).map((name) => join(folder, name));
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile()) ?? null;
}
