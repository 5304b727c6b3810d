/** Ids are prefixed and sort by creation time: `run_` + 10 characters of time + 12 of randomness, base 32. */
import { z } from 'zod';

export const ID_PREFIXES = {
  study: 'stu',
  variant: 'var',
  run: 'run',
  checkpoint: 'ckp',
  host: 'hst',
  token: 'tok',
  webhook: 'whk',
  launcher: 'lch',
  share: 'shr',
  view: 'viw',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** @param now milliseconds since 1970 @param random bytes, at least 12 */
export function makeId(kind: IdKind, now: number, random: Uint8Array): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let tail = '';
  for (let i = 0; i < 12; i++) tail += ALPHABET[(random[i] ?? 0) & 31];
  return `${ID_PREFIXES[kind]}_${time}${tail}`;
}

const idOf = (kind: IdKind) =>
  z.string().regex(new RegExp(`^${ID_PREFIXES[kind]}_[0-9a-z]{22}$`), `Not a ${kind} id (${ID_PREFIXES[kind]}_…).`);

export const StudyId = idOf('study');
export const VariantId = idOf('variant');
export const RunId = idOf('run');
export const CheckpointId = idOf('checkpoint');
export const HostId = idOf('host');
export const TokenId = idOf('token');
export const WebhookId = idOf('webhook');
export const LauncherId = idOf('launcher');
export const ShareId = idOf('share');
export const ViewId = idOf('view');
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'Not a SHA-256 in lower-case hex.');
