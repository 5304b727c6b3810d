/** Ways of looking at a study's charts, kept by name. */
import { AppError } from '@mealtable/protocol/errors';
import {
  MAX_SAVED_VIEWS,
  type NewSavedView,
  type SavedView,
  type SavedViewKind,
} from '@mealtable/protocol/saved-views';
import type { Hub } from '../context.ts';
import type { Queryable } from '../runs/summary.ts';
import { withoutNul } from '../without-nul.ts';

interface ViewRow {
  id: string;
  name: string;
  state: string;
  created_at: Date;
  created_by: string;
}

/** By name. A study that does not exist has none. */
export async function listSavedViews(db: Queryable, studyId: string, kind: SavedViewKind): Promise<SavedView[]> {
  const { rows } = await db.query<ViewRow>(
    `SELECT v.id, v.name, v.state, v.created_at, COALESCE(u.name, '') AS created_by
     FROM saved_views v LEFT JOIN users u ON u.id = v.created_by_id
     WHERE v.study_id = $1 AND v.kind = $2 ORDER BY lower(v.name), v.id`,
    [studyId, kind],
  );
  return rows.map(({ id, name, state, created_at, created_by }) => ({
    ...{ id, name, state, createdBy: created_by },
    createdAt: created_at.getTime(),
  }));
}

/**
 * A view of the same name is replaced.
 * @returns its id
 * @throws {AppError} not_found for an unknown study, conflict when it has as many as it may
 */
export async function saveView(
  hub: Pick<Hub, 'pool' | 'ids'>,
  { studyId, kind, name, state }: NewSavedView,
  createdById: string,
): Promise<string> {
  const { rows } = await hub.pool.query<{ id: string }>(
    `INSERT INTO saved_views (id, study_id, kind, name, state, created_by_id)
     SELECT $1, s.id, $3, $4, $5, $6 FROM studies s
     WHERE s.id = $2 AND s.kind = 'ablation'
       AND (SELECT count(*) FROM saved_views WHERE study_id = $2 AND kind = $3 AND name <> $4) < $7
     ON CONFLICT (study_id, kind, name) DO UPDATE SET state = EXCLUDED.state, created_by_id = EXCLUDED.created_by_id
     RETURNING id`,
    [hub.ids('view'), studyId, kind, withoutNul(name), withoutNul(state), createdById, MAX_SAVED_VIEWS],
  );
  if (rows[0]) return rows[0].id;
  const { rowCount } = await hub.pool.query(`SELECT 1 FROM studies WHERE id = $1 AND kind = 'ablation'`, [studyId]);
  if (rowCount === 0) throw new AppError('not_found', `There is no study ${studyId}.`);
  throw new AppError('conflict', `A study keeps ${MAX_SAVED_VIEWS} views at most. Delete one first.`);
}

/** One that is gone already stays gone. */
export async function removeSavedView(db: Queryable, studyId: string, id: string): Promise<void> {
  await db.query('DELETE FROM saved_views WHERE id = $1 AND study_id = $2', [id, studyId]);
}
