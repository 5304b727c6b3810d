/** Rows of launchers: what an owner added, and what the config file holds. */
import { AppError } from '@mealtable/protocol/errors';
import { type LauncherKind, LauncherSettings } from '@mealtable/protocol/launchers';
import type { Hub } from '../context.ts';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';

export interface LauncherRow {
  id: string;
  kind: LauncherKind;
  name: string;
  settings: LauncherSettings;
  fromConfig: boolean;
  createdAt: Date;
  restingUntil: Date | null;
  restReason: string | null;
}
type RowHub = CoreHub & Pick<Hub, 'ids'>;

const SELECT = `SELECT id, kind, name, settings, from_config, created_at, resting_until, rest_reason FROM launchers`;
interface DbRow {
  id: string;
  kind: LauncherKind;
  name: string;
  settings: unknown;
  from_config: boolean;
  created_at: Date;
  resting_until: Date | null;
  rest_reason: string | null;
}
const toRow = (row: DbRow): LauncherRow => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  settings: LauncherSettings.parse(row.settings),
  fromConfig: row.from_config,
  createdAt: row.created_at,
  restingUntil: row.resting_until,
  restReason: row.rest_reason,
});

export async function loadLaunchers(db: Queryable): Promise<LauncherRow[]> {
  return (await db.query<DbRow>(`${SELECT} ORDER BY name`)).rows.map(toRow);
}

/** @throws {AppError} not_found */
export async function loadLauncher(db: Queryable, id: string): Promise<LauncherRow> {
  const { rows } = await db.query<DbRow>(`${SELECT} WHERE id = $1`, [id]);
  if (!rows[0]) throw unknownLauncher(id);
  return toRow(rows[0]);
}

export const unknownLauncher = (id: string) => new AppError('not_found', `There is no launcher ${id}.`);
const nameTaken = (name: string) => {
  const message = `There is a launcher "${name}" already: choose another name.`;
  return new AppError('conflict', message, [{ path: 'name', message }]);
};

/** @throws {AppError} conflict when the name is taken */
export async function insertLauncher(
  hub: RowHub,
  launcher: { name: string; settings: LauncherSettings; createdById: string | null; fromConfig: boolean },
): Promise<string> {
  const id = hub.ids('launcher');
  const { name, settings, createdById, fromConfig } = launcher;
  await transact(hub, async (tx) => {
    const { rowCount } = await tx.query(
      `INSERT INTO launchers (id, kind, name, settings, created_by_id, from_config)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING`,
      [id, settings.kind, name, JSON.stringify(settings), createdById, fromConfig],
    );
    if (rowCount === 0) throw nameTaken(name);
    tx.emit('launcher:changed', { launcherId: id });
  });
  return id;
}

/**
 * Its kind stays: hosts and jobs of another kind would be left without anybody who knows them.
 * @throws {AppError} not_found, conflict when the name is taken, invalid for another kind
 */
export async function updateLauncher(
  hub: CoreHub,
  id: string,
  change: { name: string; settings: LauncherSettings; fromConfig: boolean },
): Promise<void> {
  await transact(hub, async (tx) => {
    const old = await loadLauncher(tx, id);
    if (old.kind !== change.settings.kind)
      throw new AppError('invalid', `A launcher of the kind ${old.kind} stays one: remove it and add another.`);
    const { rows } = await tx.query('SELECT 1 FROM launchers WHERE name = $1 AND id <> $2', [change.name, id]);
    if (rows.length > 0) throw nameTaken(change.name);
    await tx.query('UPDATE launchers SET name = $2, settings = $3, from_config = $4 WHERE id = $1', [
      id,
      change.name,
      JSON.stringify(change.settings),
      change.fromConfig,
    ]);
    tx.emit('launcher:changed', { launcherId: id });
  });
}

/** Its jobs' and events' rows go with it; hosts stay, as hosts that nobody launched. Its tokens open nothing any more. */
export async function deleteLauncher(hub: CoreHub & Pick<Hub, 'now'>, id: string): Promise<void> {
  const revoked = await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      'UPDATE tokens SET revoked_at = $2 WHERE launcher_id = $1 AND revoked_at IS NULL RETURNING id',
      [id, hub.now()],
    );
    await tx.query('DELETE FROM launchers WHERE id = $1', [id]);
    tx.emit('launcher:changed', { launcherId: id });
    tx.emit('hosts:changed');
    return rows;
  });
  for (const token of revoked) hub.bus.emit('access:changed', { credentialId: token.id });
}

/** Too many jobs came to nothing: none is submitted until then. */
export async function restLauncher(hub: CoreHub, id: string, ms: number, reason: string): Promise<void> {
  await transact(hub, async (tx) => {
    await tx.query(
      `UPDATE launchers SET resting_until = now() + $2 * interval '1 millisecond', rest_reason = $3 WHERE id = $1`,
      [id, ms, reason.slice(0, 2_000)],
    );
    tx.emit('launcher:changed', { launcherId: id });
  });
}

/** What came to nothing before is not counted any more. */
export async function wakeLauncher(hub: CoreHub, id: string): Promise<void> {
  await transact(hub, async (tx) => {
    await tx.query('UPDATE launchers SET resting_until = now() WHERE id = $1 AND resting_until > now()', [id]);
    tx.emit('launcher:changed', { launcherId: id });
  });
}
