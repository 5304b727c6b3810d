/** The flap guard: a host on which one run after the other fails takes no more for a while, instead of failing the whole queue. */
import type { AttemptOutcome, FailureCode } from '@mealtable/protocol/statuses';
import { REST_AFTER_FAILURES, REST_MS, REST_WITHIN_MS } from '@mealtable/protocol/tunables';
import type { Tx } from '../runs/transaction.ts';

/** What the run itself did, wherever it ran, says nothing about the host. */
const NOT_OF_THE_HOST: readonly FailureCode[] = ['diverged', 'host_lost', 'dependency_failed', 'attempts_exhausted'];

/**
 * Failures of REST_AFTER_FAILURES runs in a row, each within REST_WITHIN_MS of its claim, put the host to rest for REST_MS;
 * a success ends the rest. What the hub itself refused in the moment of the claim does not count.
 * Call it after the attempt was closed.
 */
export async function judgeHost(
  tx: Tx,
  hostId: string,
  outcome: AttemptOutcome,
  failureCode: FailureCode | null,
): Promise<void> {
  if (outcome === 'succeeded') {
    const { rowCount } = await tx.query(
      'UPDATE hosts SET resting_until = NULL, rest_reason = NULL WHERE id = $1 AND resting_until IS NOT NULL',
      [hostId],
    );
    if (rowCount === 1) tx.emit('hosts:changed');
    return;
  }
  if (outcome !== 'failed' || failureCode === null || NOT_OF_THE_HOST.includes(failureCode)) return;
  const { rows } = await tx.query<{ runs: number; message: string | null }>(
    `WITH quick AS (
       SELECT a.run_id, a.ended_at, a.message,
              a.outcome = 'failed' AND NOT a.failure_code::text = ANY($3) AND a.ended_at > a.claimed_at
                AND a.ended_at - a.claimed_at < $2 * interval '1 millisecond' AS is_quick
       FROM run_attempts a JOIN hosts h ON h.id = a.host_id
       WHERE a.host_id = $1 AND a.outcome IN ('failed', 'succeeded')
         AND a.ended_at > now() - 2 * $2 * interval '1 millisecond'
         AND a.ended_at > COALESCE(h.resting_until, '-infinity')
     )
     SELECT count(DISTINCT run_id)::int AS runs, (array_agg(message ORDER BY ended_at DESC))[1] AS message
     FROM quick WHERE is_quick AND ended_at > COALESCE((SELECT max(ended_at) FROM quick WHERE NOT is_quick), '-infinity')`,
    [hostId, REST_WITHIN_MS, NOT_OF_THE_HOST],
  );
  const { runs = 0, message = null } = rows[0] ?? {};
  if (runs < REST_AFTER_FAILURES) return;
  const reason = `${runs} runs in a row failed here within minutes${message === null ? '.' : `, the last one with: ${message}`}`;
  const { rowCount } = await tx.query(
    `UPDATE hosts SET resting_until = now() + $2 * interval '1 millisecond', rest_reason = $3
     WHERE id = $1 AND (resting_until IS NULL OR resting_until <= now())`,
    [hostId, REST_MS, reason.slice(0, 1_000)],
  );
  if (rowCount === 1) tx.emit('hosts:changed');
}
