/** Who comes by a share link, from the secret that a request or a socket handshake carries. */
import { SHARE_PREFIX } from '@mealtable/protocol/shares';
import type { Hub } from '../context.ts';
import { findShare, type ShareVisitor } from './share-rows.ts';
import { WrongTries } from './wrong-tries.ts';

type VisitorHub = Pick<Hub, 'db' | 'now'>;

const WRITE_EVERY_MS = 60_000;

/** What a hub remembers, by its database: addresses' wrong tries, and when links' last uses were written. */
const memories = new WeakMap<Hub['db'], { tries: WrongTries; written: Map<string, number> }>();

function memoryOf({ db }: VisitorHub) {
  const memory = memories.get(db) ?? { tries: new WrongTries(), written: new Map() };
  memories.set(db, memory);
  return memory;
}

/** True for a secret that only share links have: it is then the one credential that is tried. */
export const isShareSecret = (token: string | null): token is string => token?.startsWith(SHARE_PREFIX) === true;

/**
 * @param address whom wrong secrets are counted by
 * @returns 'blocked' for an address that has shown too many wrong ones, null for one that opens nothing
 */
export async function identifyVisitor(
  hub: VisitorHub,
  secret: string,
  address: string,
): Promise<ShareVisitor | null | 'blocked'> {
  const { tries, written } = memoryOf(hub);
  const now = hub.now();
  if (tries.isBlocked(address, now.getTime())) return 'blocked';
  const visitor = isShareSecret(secret) ? await findShare(hub, secret) : null;
  if (!visitor) {
    tries.note(address, now.getTime());
    return null;
  }
  const last = written.get(visitor.shareId);
  if (last === undefined || now.getTime() - last >= WRITE_EVERY_MS) {
    written.set(visitor.shareId, now.getTime());
    // updateMany: a link that went in between is no error.
    await hub.db.studyShare.updateMany({ where: { id: visitor.shareId }, data: { lastUsedAt: now } });
  }
  return visitor;
}
