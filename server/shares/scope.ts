/** What a share link reaches: its own study, and runs of it. */
import { AppError } from '@mealtable/protocol/errors';
import type { Queryable } from '../runs/summary.ts';
import type { ShareVisitor } from './share-rows.ts';

/** What a procedure is asked about. */
export type ShareScope = { studyId: string } | { runIds: readonly string[] };

export async function isWithinShare(db: Queryable, { studyId }: ShareVisitor, scope: ShareScope): Promise<boolean> {
  if ('studyId' in scope) return scope.studyId === studyId;
  const ids = [...new Set(scope.runIds)];
  const { rows } = await db.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM runs WHERE id = ANY($1) AND study_id = $2',
    [ids, studyId],
  );
  return rows[0]?.n === ids.length;
}

/** False once it is revoked: for connections that outlive the moment in which the secret was shown. */
export async function isShareOpen(db: Queryable, { shareId }: ShareVisitor): Promise<boolean> {
  const { rowCount } = await db.query('SELECT 1 FROM study_shares WHERE id = $1 AND revoked_at IS NULL', [shareId]);
  return rowCount === 1;
}

/** @throws {AppError} not_found, as for what does not exist: a link does not tell what else there is */
export async function requireWithinShare(db: Queryable, visitor: ShareVisitor, scope: ShareScope): Promise<void> {
  if (!(await isWithinShare(db, visitor, scope)))
    throw new AppError('not_found', 'There is no such study or run behind this link.');
}
