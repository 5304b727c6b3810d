/** A run in any state, put there as the edges themselves would leave it, and what its rows must always say. */
import type { AttemptOutcome, RunStatus } from '@mealtable/protocol/statuses';
import { expect } from 'vitest';
import { transact } from '../../../server/runs/transaction.ts';
import type { CoreHub } from '../../support/core.ts';

/** Of the run, each time that it is put somewhere. */
export const EPOCHS = 2;

/** The run, one that waits for it, and the host that has it or had it. */
export interface PutRun {
  run: string;
  dependent: string;
  host: string;
}

export interface RunRow {
  status: RunStatus;
  attempt: number;
  host_id: string | null;
  isMarked: boolean;
  isHeld: boolean;
  isPauseAsked: boolean;
  outcome: AttemptOutcome | null;
  dependent: RunStatus;
}

export type State = 'queued' | 'held' | 'claimed' | 'running' | 'lost' | 'succeeded' | 'failed';
/** As one line: [status of the run, its attempt, that one's outcome]. */
const STATES: Record<State, readonly [RunStatus, number, AttemptOutcome | null]> = {
  queued: ['queued', 0, null],
  held: ['queued', 1, 'interrupted'],
  claimed: ['claimed', 1, null],
  running: ['running', 1, null],
  lost: ['queued', 1, 'lost'],
  succeeded: ['succeeded', 1, 'succeeded'],
  failed: ['failed', 1, 'failed'],
};

/** Puts the run into a state as the edges themselves leave it, and the run that waits for it into the fitting one. */
export async function putRun(
  hub: CoreHub,
  { run, dependent, host }: PutRun,
  state: State,
  lapsed: boolean,
): Promise<void> {
  const [status, attempt, outcome] = STATES[state];
  const isActive = status === 'claimed' || status === 'running';
  const isFailed = status === 'failed';
  await transact(hub, async (tx) => {
    await tx.query('DELETE FROM run_attempts WHERE run_id = $1', [run]);
    await tx.query(
      `UPDATE runs SET status = $2::run_status, attempt = $3, max_attempts = 5, host_id = $4, cancel_requested_at = NULL,
              lease_expires_at = CASE WHEN $5 THEN now() + $6 * interval '1 hour' END,
              failure_code = CASE WHEN $7 THEN 'diverged' END::failure_code, failure_message = NULL,
              finished_at = CASE WHEN $8 THEN now() END, held_at = CASE WHEN $9 THEN now() END, pause_requested_at = NULL,
              config = jsonb_set(config, '{epochs}', to_jsonb($10::int))
       WHERE id = $1`,
      [
        ...[run, status, attempt, isActive ? host : null, isActive, lapsed ? -1 : 1, isFailed],
        ...[isFailed || status === 'succeeded', state === 'held', EPOCHS],
      ],
    );
    await tx.query(
      `UPDATE runs SET status = $2::run_status, cancel_requested_at = NULL, failure_message = NULL,
              failure_code = CASE WHEN $3 THEN 'dependency_failed' END::failure_code,
              finished_at = CASE WHEN $3 THEN now() END
       WHERE id = $1`,
      [dependent, isFailed ? 'failed' : 'queued', isFailed],
    );
    if (attempt === 0) return;
    await tx.query(
      `INSERT INTO run_attempts (run_id, attempt, host_id, started_at, ended_at, outcome)
       VALUES ($1, $2, $3, CASE WHEN $4 THEN now() END, CASE WHEN $5::text IS NOT NULL THEN now() END, $5::attempt_outcome)`,
      [run, attempt, host, state !== 'claimed', outcome],
    );
  });
}

type StoredRow = RunRow & { hasLease: boolean; isFinished: boolean; attempts: number; open: number[] };

export async function lookAtRun(hub: CoreHub, { run, dependent }: PutRun): Promise<StoredRow> {
  const { rows } = await hub.pool.query<StoredRow>(
    `SELECT r.status, r.attempt, r.host_id, r.cancel_requested_at IS NOT NULL AS "isMarked", a.outcome,
            r.held_at IS NOT NULL AS "isHeld", r.pause_requested_at IS NOT NULL AS "isPauseAsked",
            d.status AS dependent, r.lease_expires_at IS NOT NULL AS "hasLease", r.finished_at IS NOT NULL AS "isFinished",
            (SELECT count(*)::int FROM run_attempts WHERE run_id = r.id) AS attempts,
            ARRAY(SELECT attempt FROM run_attempts WHERE run_id = r.id AND ended_at IS NULL) AS open
     FROM runs r LEFT JOIN run_attempts a ON a.run_id = r.id AND a.attempt = r.attempt JOIN runs d ON d.id = $2
     WHERE r.id = $1`,
    [run, dependent],
  );
  return rows[0]!;
}

/** An active run has a host, a lease and one open attempt, its latest; any other has none of them. */
export function expectConsistent(row: RunRow): void {
  const { status, attempt, attempts, open, hasLease, isFinished, host_id } = row as StoredRow;
  const isActive = status === 'claimed' || status === 'running';
  expect({ attempts, open, hasLease, isFinished }).toEqual({
    attempts: attempt,
    open: isActive ? [attempt] : [],
    hasLease: isActive,
    isFinished: status !== 'queued' && !isActive,
  });
  if (row.isHeld) expect(status).toBe('queued');
  if (row.isPauseAsked) expect(isActive).toBe(true);
  if (isActive) expect(host_id).not.toBeNull();
  if (status === 'queued') expect(host_id).toBeNull();
}
