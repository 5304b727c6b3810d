/**
 * The status edges of a pause. A queued run is held where it is. An active one is asked to save a checkpoint and to give its slot
 * back; `finishAttempt` then holds it in the queue. `held_at` counts for queued runs alone, `pause_requested_at` is set on active ones.
 */
import { noteAct } from '../events/run-events.ts';
import type { Tx } from './transaction.ts';

/** SQL: the agent of host `h` knows a pause from a cancel. */
export const KNOWS_PAUSE = `COALESCE(h.report->'stopReasons' ? 'paused', false)`;

export interface PauseReply {
  /** Runs that are paused now or asked to. */
  changed: number;
  /** Runs that train on, because their host's agent is too old to be asked. */
  tooOld: { runId: string; hostName: string }[];
}

/**
 * queued -> queued and held; an active run is marked, and its host is told. Runs that have ended, are paused already or are being
 * cancelled are left as they are.
 * @param userId who asks @param by their name
 */
export async function requestPause(
  tx: Tx,
  runIds: string[],
  userId: string | null,
  by: string | null = null,
): Promise<PauseReply> {
  // Locked first: a run that goes from active to queued between the statements would be seen by none.
  await tx.query('SELECT 1 FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE', [runIds]);
  const held = await tx.query<{ id: string }>(
    `UPDATE runs SET held_at = now(), paused_by_id = $2
     WHERE id = ANY($1) AND status = 'queued' AND held_at IS NULL RETURNING id`,
    [runIds, userId],
  );
  const isAskable = `r.id = ANY($1) AND r.status IN ('claimed', 'running') AND r.pause_requested_at IS NULL
                     AND r.cancel_requested_at IS NULL AND h.id = r.host_id`;
  const marked = await tx.query<{ id: string; host_id: string }>(
    `UPDATE runs r SET pause_requested_at = now(), paused_by_id = $2 FROM hosts h
     WHERE ${isAskable} AND ${KNOWS_PAUSE} RETURNING r.id, r.host_id`,
    [runIds, userId],
  );
  const tooOld = await tx.query<{ id: string; name: string }>(
    `SELECT r.id, h.name FROM runs r, hosts h WHERE ${isAskable} ORDER BY r.created_at, r.id`,
    [runIds],
  );
  for (const { id } of [...held.rows, ...marked.rows]) tx.runChanged(id);
  for (const { host_id } of marked.rows) tx.nudge(host_id);
  const pausedIds = [...held.rows, ...marked.rows].map(({ id }) => id);
  await noteAct(tx, { kind: 'runs-paused' }, pausedIds, by);
  return {
    changed: held.rows.length + marked.rows.length,
    tooOld: tooOld.rows.map(({ id, name }) => ({ runId: id, hostName: name })),
  };
}

/**
 * queued and held -> queued. A pause that is still asked for is taken back; where the trainer has stopped already, the run goes
 * on from the checkpoint that it saved.
 * @param by name of the member who asks
 * @returns how many runs go on
 */
export async function resumeRuns(tx: Tx, runIds: string[], by: string | null = null): Promise<number> {
  const { rows } = await tx.query<{ id: string }>(
    `UPDATE runs SET held_at = NULL, pause_requested_at = NULL, paused_by_id = NULL
     WHERE id IN (SELECT id FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE)
       AND (held_at IS NOT NULL OR pause_requested_at IS NOT NULL) RETURNING id`,
    [runIds],
  );
  for (const { id } of rows) tx.runChanged(id);
  const resumedIds = rows.map(({ id }) => id);
  await noteAct(tx, { kind: 'runs-resumed' }, resumedIds, by);
  if (rows.length > 0) tx.nudge(null);
  return rows.length;
}
