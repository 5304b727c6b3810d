/** Share links: the secret is shown once when a link is made, stored as a hash, and revocable. */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '@mealtable/protocol/errors';
import { type NewShare, SHARE_PREFIX, type ShareView, sharePath } from '@mealtable/protocol/shares';
import type { Hub, Member } from '../context.ts';
import { noteEvent } from '../events/note-event.ts';
import { transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';

/** Who looks at a study through a link. */
export interface ShareVisitor {
  shareId: string;
  studyId: string;
}

type ShareHub = Pick<Hub, 'db' | 'pool' | 'bus' | 'ids' | 'now' | 'baseUrl'>;

/** 256 random bits cannot be guessed, so a plain hash is enough and a look-up by it leaks nothing. */
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

/** @throws {AppError} forbidden for programs, not_found */
export async function createShare(
  hub: ShareHub,
  member: Member,
  { studyId, label }: NewShare,
): Promise<{ id: string; link: string }> {
  // It would outlive the token that made it.
  if (member.via === 'token')
    throw new AppError('forbidden', 'A program cannot make share links. Sign in on the page to make one.');
  const secret = SHARE_PREFIX + randomBytes(32).toString('base64url');
  const id = hub.ids('share');
  await transact(hub, async (tx) => {
    const { rowCount } = await tx.query(
      `INSERT INTO study_shares (id, study_id, label, hash, created_at, created_by_id)
       SELECT $1, s.id, $3, $4, $5, $6 FROM studies s WHERE s.id = $2 AND s.kind = 'ablation' FOR KEY SHARE`,
      [id, studyId, withoutNul(label), hashOf(secret), hub.now(), member.id],
    );
    if (rowCount === 0) throw new AppError('not_found', `There is no study ${studyId}.`);
    await noteEvent(tx, { kind: 'study-shared', studyId, label: withoutNul(label), by: member.name });
  });
  return { id, link: hub.baseUrl() + sharePath(secret) };
}

/** Those that work, newest first. */
export async function listShares(hub: ShareHub, studyId: string): Promise<ShareView[]> {
  const rows = await hub.db.studyShare.findMany({
    where: { studyId, revokedAt: null },
    include: { createdBy: { select: { name: true } } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
  return rows.map(({ id, label, createdAt, createdBy, lastUsedAt }) => ({
    id,
    label,
    createdAt: createdAt.getTime(),
    createdBy: createdBy?.name ?? '',
    lastUsedAt: lastUsedAt?.getTime() ?? null,
  }));
}

/** From now on the link shows nothing, and pages that it has open get nothing more. @throws {AppError} not_found */
export async function revokeShare(hub: ShareHub, member: Member, shareId: string): Promise<void> {
  await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ study_id: string; label: string }>(
      `UPDATE study_shares SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING study_id, label`,
      [shareId, hub.now()],
    );
    const [share] = rows;
    if (!share) throw new AppError('not_found', 'There is no such link, or it is revoked already.');
    const { study_id: studyId, label } = share;
    await noteEvent(tx, { kind: 'share-revoked', studyId, label, by: member.name });
    tx.emit('access:changed', { credentialId: shareId });
  });
}

/** @returns null when there is no such link, or it is revoked */
export async function findShare({ db }: Pick<Hub, 'db'>, secret: string): Promise<ShareVisitor | null> {
  const row = await db.studyShare.findUnique({ where: { hash: hashOf(secret) } });
  return row && row.revokedAt === null ? { shareId: row.id, studyId: row.studyId } : null;
}
